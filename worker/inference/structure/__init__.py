"""The structure of a picture file: sizes, counts and cost, read in bounded time before any decoder sees the file.

inspect.py   the entry: tells ordinary pictures from unusual ones, with their cost
jpeg.py      segments before the first scan
png.py       chunks
tiff.py      the first directory; raw files of cameras are told apart here
webp.py      the size in its header

An ordinary picture is decoded in a thread, from a copy that holds only what its pixels need: metadata costs nothing
there, because no decoder sees it. Every other picture is unusual: ``worker.inference.isolation`` decodes it.
"""

from worker.inference.structure.inspect import describe_form, inspect
from worker.inference.structure.structure import Structure

__all__ = ["Structure", "describe_form", "inspect"]
