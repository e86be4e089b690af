"""Corrections: the label that a person gives to an image. The prediction is kept."""
