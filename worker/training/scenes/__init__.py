"""Made pictures for the training: leaves on other grounds, grounds without leaves, tiles of larger photographs.

mask.py       the leaf of a picture on a plain ground; plain.py fits that ground, parts.py finds connected parts
paste.py      a leaf on another ground, and its own ground without it
grounds.py    cuts of photographs without leaves; made.py makes soil, gravel, water and others
tile.py       a picture as a tile of a larger photograph; things.py and lamps.py draw what lies about and lights it

Pure functions of pixels (uint8, (height, width, 3), RGB) and of an ``np.random.Generator``; nothing here is served.
"""
