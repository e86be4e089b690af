"""The head of a photograph: size, orientation and pose, out of the first kilobytes of its file. Pure; decodes nothing.

partial.py   a file of which only some parts are fetched
size.py      width and height of the stored pixels, by format
png.py       the chunks of a PNG around its pixels
pose.py      the pose, out of EXIF and XMP
head.py      all of it: ``read_head``
"""

from worker.inference.heads.head import Head, read_head
from worker.inference.heads.partial import PartialFile

__all__ = ["Head", "PartialFile", "read_head"]
