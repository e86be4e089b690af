"""Pixels to probabilities to words. Pure: no queue, no database, no object store, no settings.

errors.py       everything that can go wrong here, as a tree
manifest.py     a classifier folder: read it, verify it
decode.py       encoded bytes to an RGB picture
preprocess.py   encoded bytes to the float32 input of a model
classifier.py   the Protocol of a classifier; keras_classifier.py is the one on TensorFlow
interpret.py    probabilities to a label, a confidence and whether a person should review the image
pipeline.py     fetching, decoding and classifying many images, overlapped and bounded
tiles/          a photograph of many plants: cut, and answered by its tiles
isolation/      decoding of unusual pictures, in processes with limits
structure/      sizes, counts and cost of a file, before any decoder sees it
"""
