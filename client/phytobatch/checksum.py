"""The checksum of a file."""

from __future__ import annotations

import hashlib
from io import BufferedReader, FileIO

BLOCK_BYTES = 262_144


def sha256_of(stream: BufferedReader | FileIO) -> str:
    """Return the SHA-256 of what is left in a stream as 64 hexadecimal digits, read in blocks."""
    digest, buffer = hashlib.sha256(), memoryview(bytearray(BLOCK_BYTES))
    while size := stream.readinto(buffer):
        digest.update(buffer[:size])
    return digest.hexdigest()
