"""The bytes of a file, whole or in parts: whoever reads only slices of them works with both."""

import struct
from typing import Protocol


class Sliced(Protocol):
    """Bytes that can be sliced: ``bytes``, or a file whose parts are fetched where they are read.

    A slice behind the end is shorter, as that of ``bytes``.
    """

    def __len__(self) -> int:
        """Return the size of the whole file."""

    def __getitem__(self, part: slice, /) -> bytes:
        """Return a part of it; only slices with a step of 1 are asked for."""


def unpack_at(code: str, data: Sliced, at: int) -> tuple[int, ...] | None:
    """Read numbers as ``struct.unpack_from`` does; None if some of their bytes lie behind the end."""
    piece = data[at : at + struct.calcsize(code)]
    return struct.unpack(code, piece) if len(piece) == struct.calcsize(code) else None
