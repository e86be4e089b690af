"""Sending a set of files: found, checked, registered, uploaded, committed, and continued after any interruption."""
