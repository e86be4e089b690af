"""What a person who trains, evaluates or imports can do something about."""


class TrainingError(Exception):
    """The data, the options or the file do not allow it. ``str(error)`` says what to do."""
