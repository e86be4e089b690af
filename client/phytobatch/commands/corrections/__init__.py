"""``phytobatch corrections``: labels of people, kept beside those of the classifier."""

from __future__ import annotations

from phytobatch.commands.command import Group
from phytobatch.commands.corrections import importing, listing, training_folder

CORRECTIONS = Group(
    "corrections",
    "labels that people give to images, beside those of the classifier",
    (importing.COMMAND, listing.COMMAND, training_folder.COMMAND),
)
