"""The pictures that are opened here, where a picture is drawn or cut (extra ``report``: Pillow)."""

from __future__ import annotations

# Those that a server classifies; Pillow knows forty more, some of them traps (gzip bombs in FITS). MPO is opened as
# JPEG: Pillow registers no opening of its own for it, and fails at every format behind a name that it does not know.
FORMATS = ("BMP", "JPEG", "PNG", "TIFF", "WEBP")
