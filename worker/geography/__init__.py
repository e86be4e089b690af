"""Positions that lie beside the images of an import. Those inside of them: ``worker/inference/geography``."""
