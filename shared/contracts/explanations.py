"""Explanations as they are stored: one byte for the number of columns, then a byte for each cell, rows first.

So a stored one says its shape by itself: that of a photograph which lies on its side is turned with it.
"""

Cells = list[list[int]]


def pack(columns: int, values: bytes) -> bytes:
    """Write an explanation as bytes; ``values`` has a byte for each cell, in rows of ``columns``."""
    return bytes([columns]) + values


def cells_of(stored: bytes) -> Cells:
    """Read the rows of a stored explanation: numbers from 0, nothing speaks for the label, to 255, the most."""
    columns = stored[0]
    return [list(stored[start : start + columns]) for start in range(1, len(stored), columns)]
