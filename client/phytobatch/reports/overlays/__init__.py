"""Photographs with the answers of their tiles drawn on them (extra ``report``: Pillow)."""
