"""``phytobatch corrections``: what people say of images, beside what the classifier says."""

from client.commands.command import Group
from client.commands.corrections import importing, listing, training_folder

CORRECTIONS = Group(
    "corrections",
    "labels that people give to images, beside those of the classifier",
    (importing.COMMAND, listing.COMMAND, training_folder.COMMAND),
)
