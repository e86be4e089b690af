"""Limits of requests: how often a key may ask, and how large what is asked may be."""
