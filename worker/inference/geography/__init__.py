"""Place and time of a photo, read from the bytes of its file. Pure, and bounded for any file.

block.py          a block of metadata, and how much of it is read
jpeg_segments.py, png_chunks.py, containers.py   find the EXIF and XMP blocks in JPEG, PNG, WebP and TIFF
exif.py           the tags of place and time in an EXIF block
xmp.py            the properties of place and time in an XMP packet
metadata.py       all of them, in the order of the file
position.py       latitude and longitude, or the fault
altitude.py       metres
heading.py        the direction of the camera
times.py          the moment
place.py          all of them: ``read_place``

A file may hold several blocks of each kind. Each value comes from the first block whose value is possible, so that an
impossible one hides nothing.

Pillow's reader is not used: it decodes every value of a block, so that a TIFF of 100 MB can name twelve million
fractions for a latitude, and it needs the picture's own header to be whole.
"""

from worker.inference.geography.place import FilePlace, read_place

__all__ = ["FilePlace", "read_place"]
