"""Damage of files: bits flip, copies break off, headers lie. Every damage is drawn from the given generator."""

from collections.abc import Callable
from random import Random

HEAD_BYTES = 400  # where headers, directories and tables stand
LARGEST = (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x00", b"\x00\x00\x01\x00")
SIGNATURES = (b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"II*\x00", b"MM\x00*", b"II+\x00", b"RIFF", b"BM", b"GIF89a")

Damage = Callable[[bytes, Random], bytes]


def flipped_bits(data: bytes, chance: Random) -> bytes:
    """One to fifty bits anywhere."""
    made = bytearray(data)
    for _ in range(chance.randint(1, 50)):
        made[chance.randrange(len(made))] ^= 1 << chance.randrange(8)
    return bytes(made)


def flipped_head(data: bytes, chance: Random) -> bytes:
    """One to eight bytes of the header become others."""
    made = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        made[chance.randrange(min(HEAD_BYTES, len(made)))] = chance.randrange(256)
    return bytes(made)


def lying_number(data: bytes, chance: Random) -> bytes:
    """Four bytes of the header become a number at the border of what fits: lengths, offsets, sizes."""
    at = chance.randrange(min(HEAD_BYTES, len(data) - 4))
    return data[:at] + chance.choice(LARGEST) + data[at + 4 :]


def wrong_signature(data: bytes, chance: Random) -> bytes:
    """It begins as a file of another format."""
    signature = chance.choice(SIGNATURES)
    return signature + data[len(signature) :]


def cut(data: bytes, chance: Random) -> bytes:
    """The end is missing."""
    return data[: chance.randrange(len(data))]


def hole(data: bytes, chance: Random) -> bytes:
    """A part was never written: zeros."""
    begin = chance.randrange(len(data))
    size = chance.randint(1, len(data) - begin)
    return data[:begin] + bytes(size) + data[begin + size :]


def removed(data: bytes, chance: Random) -> bytes:
    """A part is gone, and what follows moved up."""
    begin = chance.randrange(len(data))
    return data[:begin] + data[begin + chance.randint(1, 200) :]


def repeated(data: bytes, chance: Random) -> bytes:
    """A part stands twice."""
    begin = chance.randrange(len(data))
    end = begin + chance.randint(1, 2000)
    return data[:end] + data[begin:]


def noise(data: bytes, chance: Random) -> bytes:
    """A part is noise."""
    begin = chance.randrange(len(data))
    size = chance.randint(1, 500)
    return data[:begin] + chance.randbytes(size) + data[begin + size :]


DAMAGES: tuple[Damage, ...] = (
    flipped_bits,
    flipped_head,
    lying_number,
    wrong_signature,
    cut,
    hole,
    removed,
    repeated,
    noise,
)
