"""A photograph in tiles: each gets the answer of a photograph of its pixels, and together they answer for it.

tile_cut.py   what is asked of a photograph, and the limit of its tiles
light.py      the light of a tile, and whether it was learned
answer.py     the answers of tiles to the answer of a photograph
"""
