"""Summaries of whole jobs, counted by the server."""
