"""Limits of requests: their rate, their size, and the shares of one process."""
