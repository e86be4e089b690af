"""Summaries of a job: shares per class, group, day and grid cell, and the images that a person should review first."""
