"""Where and when a photo was taken, read from the bytes of its file. Pure, and bounded whatever the file says.

containers.py   finds the EXIF and XMP blocks in JPEG, PNG, WebP and TIFF
exif.py         the few tags that are wanted, out of an EXIF block
xmp.py          what DJI's drones write into XMP
position.py     latitude, longitude and altitude, or the fault
heading.py      which way the camera looked
times.py        when
place.py        all of it: ``read_place``

Pillow's reader is not used: it decodes every value of a block, so that a TIFF of 100 MB can name twelve million
fractions for a latitude, and it needs the picture's own header to be whole.
"""

from worker.inference.geography.place import FilePlace, read_place

__all__ = ["FilePlace", "read_place"]
