"""Where and when a photo was taken, read from the bytes of its file. Pure, and bounded whatever the file says.

block.py          what a block of metadata is, and how much is read
jpeg_segments.py, png_chunks.py, containers.py   find the EXIF and XMP blocks in JPEG, PNG, WebP and TIFF
exif.py           the few tags that are wanted, out of an EXIF block
xmp.py            the few properties that are wanted, out of an XMP packet
metadata.py       all of them, in the order of the file
position.py       latitude and longitude, or the fault
altitude.py       metres
heading.py        which way the camera looked
times.py          when
place.py          all of it: ``read_place``

A file may hold several blocks of each kind. Each value comes from the first block whose value can be true, so that an
impossible one hides nothing.

Pillow's reader is not used: it decodes every value of a block, so that a TIFF of 100 MB can name twelve million
fractions for a latitude, and it needs the picture's own header to be whole.
"""

from worker.inference.geography.place import FilePlace, read_place

__all__ = ["FilePlace", "read_place"]
