"""Synthetic photographs of leaves, for demonstrations, tests and benchmarks. No camera has seen them.

texture.py    noise, on which everything is drawn
leaf.py       the outline, veins and shading of one leaf
symptoms.py   powdery mildew and rust
scene.py      a leaf before soil or foliage: ``render``
exif.py       camera, time and the position on a flight grid
broken.py     files that are not pictures
folder.py     a set of files: ``write_set``
flight/       a flight over a field with hot spots of disease: ``write_flight``
"""

from deploy.local.synthetic.flight.write import write_flight
from deploy.local.synthetic.folder import write_set
from deploy.local.synthetic.scene import Kind, render

__all__ = ["Kind", "render", "write_flight", "write_set"]
