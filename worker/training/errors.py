"""The error of training, evaluation and import that the user can correct."""


class TrainingError(Exception):
    """The data, the options or the file are not usable. ``str(error)`` says what to do."""
