"""Waiting for a job: by its event stream, and by asking where there is none."""
