"""Tiles: where they lie in a photograph, and the map of their answers as it is stored. Pure."""
