"""``/v1/jobs/{id}/summary`` and ``/grid``: the results of a job as a whole."""
