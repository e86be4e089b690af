"""Exports over HTTP: direct ones, sent while they are read, and background exports."""
