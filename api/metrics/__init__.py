"""Metrics of the API: its requests, and the figures that Postgres has."""
