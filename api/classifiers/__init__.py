"""Classifiers over HTTP."""
