"""Exports over HTTP: sent while they are read, or made beside the requests."""
