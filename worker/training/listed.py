"""Lists of a training that a user writes by hand as JSON: classes, crops."""

from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from worker.training.errors import TrainingError

Listed = TypeVar("Listed")


def read_list(path: Path, form: TypeAdapter[Listed], of: str) -> Listed:
    """Read a list in its form; ``of`` says what it lists, for the message.

    Raises:
        TrainingError: the file cannot be read, or is not such a list.
    """
    try:
        return form.validate_json(path.read_bytes())
    except OSError as error:
        raise TrainingError(f"{path} cannot be read ({error.strerror}).") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise TrainingError(f"{path} is no list of {of}: {where}: {first['msg']}") from error
