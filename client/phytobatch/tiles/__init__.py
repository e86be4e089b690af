"""Tiles: how a job cuts its photographs, how many that makes, and pictures of the answers."""
