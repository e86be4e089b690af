"""The report of a job for people, and files that are there whole or not at all."""
