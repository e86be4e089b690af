"""The structure of a picture file: sizes, counts and cost, read in bounded time before any decoder sees the file.

inspect.py   the entry: is this an ordinary picture, and what does it cost?
jpeg.py      segments before the first scan
png.py       chunks
tiff.py      the first directory; raw files of cameras are told apart here
webp.py      the size in its header

An ordinary picture is decoded in a thread, from a copy that holds nothing but what its pixels need: metadata cannot
cost anything there, because no decoder gets to see it. Everything else is decoded by ``worker.inference.isolation``.
"""

from worker.inference.structure.inspect import describe_form, inspect
from worker.inference.structure.structure import Structure

__all__ = ["Structure", "describe_form", "inspect"]
