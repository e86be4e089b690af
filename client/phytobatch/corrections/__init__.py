"""Corrections: labels that people give to images."""
