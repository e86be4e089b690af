"""Results for people and for other programs: CSV, NDJSON, JSON, and the summary of a job."""
