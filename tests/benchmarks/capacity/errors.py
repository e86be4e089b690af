"""Errors of the capacity model.

CapacityError
├── InputRefused   a name that does not exist, or a value that makes no sense
└── OutOfReach     no number of workers meets the target
"""


class CapacityError(Exception):
    """The message is a sentence for the operator."""


class InputRefused(CapacityError):
    """An input is misspelt or impossible."""


class OutOfReach(CapacityError):
    """The target cannot be met by more workers."""
