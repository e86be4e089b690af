"""Exports: the results of a job as a file, in every format from one table of columns."""
