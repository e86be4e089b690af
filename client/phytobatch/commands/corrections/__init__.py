"""``phytobatch corrections``: labels of people, kept beside those of the classifier."""

from __future__ import annotations

from phytobatch.commands.command import Group
from phytobatch.commands.corrections import importing, listing, sampling, saying, training_folder

CORRECTIONS = Group(
    "corrections",
    "labels that people give to images and tiles, beside those of the classifier",
    (saying.PUT, saying.DELETE, sampling.COMMAND, importing.COMMAND, listing.COMMAND, training_folder.COMMAND),
)
