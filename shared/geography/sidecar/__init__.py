"""Files next to the images with their positions and other metadata.

row.py        a line, and the conversion of its cells to values
geo_txt.py    ``geo.txt`` as OpenDroneMap reads it
table.py      CSV: positions, and any other column as metadata
read.py       either of them, told apart by its first line
matching.py   the image of a line
storing.py    into ``images``; the client's own values stay
"""
