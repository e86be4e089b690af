"""``/v1/jobs/{id}/summary`` and ``/grid``: what a whole job says."""
