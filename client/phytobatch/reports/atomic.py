"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from phytobatch.errors import ConfigurationError


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """Yield a text stream (UTF-8, line ends as written) that becomes ``path`` at the end; an error changes nothing.

    Raises:
        ConfigurationError: the folder cannot be written to, or the file not be replaced.
    """
    try:
        descriptor, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}.") from error
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o666 & ~_umask())  # mkstemp makes files that only their owner reads.
        _move(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _move(temporary: Path, path: Path) -> None:
    try:
        temporary.replace(path)
    except OSError as error:  # On Windows a file that another program has open cannot be replaced.
        raise ConfigurationError(f"{path} cannot be written: {error.strerror or error}.") from error


def check_writable(path: Path) -> None:
    """Refuse a path that cannot be written to, before hours of work.

    Raises:
        ConfigurationError: the folder does not exist, or the path is one.
    """
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise ConfigurationError(f"{path} cannot be written: its folder must exist, and it must be no folder itself.")


def _umask() -> int:
    # The system tells the mask only to those who set it.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
