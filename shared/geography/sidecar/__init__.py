"""Files beside the images that say where they were taken, and what else is known of them.

row.py        one line, and how its cells become values
geo_txt.py    ``geo.txt`` as OpenDroneMap reads it
table.py      CSV: positions, and any other column as metadata
read.py       either of them, told apart by its first line
matching.py   which image a line speaks of
storing.py    into ``images``; the client's own word stays
"""
