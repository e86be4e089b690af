"""The number of tiles of a photograph.

The rule of the server, which the client cannot import: `shared/tiles/grid.py`; a test compares the two.
"""

from __future__ import annotations

from math import ceil


def count_tiles(width: int, height: int, edge: int, overlap: float = 0.0) -> int:
    """Count the tiles that cover a photograph, without padding; sides and ``edge`` in pixels, ``overlap`` 0 to 0.5."""
    return _count(width, edge, overlap) * _count(height, edge, overlap)


def _count(length: int, edge: int, overlap: float) -> int:
    step = max(1, round(edge * (1 - overlap)))
    return 1 if length <= edge else ceil((length - edge) / step) + 1
