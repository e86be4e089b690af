"""The report of a job as one HTML page that needs no network: numbers, a map of the field, charts, pictures."""
