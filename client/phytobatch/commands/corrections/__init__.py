"""``phytobatch corrections``: what people say of images, beside what the classifier says."""

from __future__ import annotations

from phytobatch.commands.command import Group
from phytobatch.commands.corrections import importing, listing, training_folder

CORRECTIONS = Group(
    "corrections",
    "labels that people give to images, beside those of the classifier",
    (importing.COMMAND, listing.COMMAND, training_folder.COMMAND),
)
