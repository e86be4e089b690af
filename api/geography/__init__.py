"""Positions of images, over HTTP."""
