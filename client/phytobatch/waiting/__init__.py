"""Waiting for a job: by its event stream, or by polling."""
