"""Corrections: what a person says of an image. The prediction stays beside it as it is."""
