"""Retention in the worker: part of every sweep."""
