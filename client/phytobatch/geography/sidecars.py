"""Finding the sidecars of a submission: ``geo.txt`` and ``images.csv`` in its folders, or those that were named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from phytobatch.errors import ConfigurationError

POSITIONS, METADATA = "geo.txt", "images.csv"


@dataclass(frozen=True)
class Sidecar:
    """A file, and the folder whose images it describes; None: all."""

    path: Path
    folder: Path | None = None

    def read(self) -> bytes:
        """Return the bytes of the file.

        Raises:
            ConfigurationError: it cannot be read.
        """
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise ConfigurationError(f"{self.path} cannot be read: {error.strerror or error}.") from error


def find_sidecars(
    paths: Iterable[Path], *, positions: Path | None = None, metadata: Sequence[Path] = ()
) -> list[Sidecar]:
    """Return the sidecars in the order in which they are sent: a later position replaces an earlier one.

    Args:
        paths: folders and files of the submission.
        positions: instead of every ``geo.txt``.
        metadata: instead of every ``images.csv``.

    Raises:
        ConfigurationError: a named file is not there.
    """
    folders = [path.absolute() for path in paths if path.is_dir()]
    first = [_named(positions)] if positions else list(_inside(folders, POSITIONS))
    then = [_named(path) for path in metadata] or list(_inside(folders, METADATA))
    return first + then


def _named(path: Path) -> Sidecar:
    if not path.is_file():
        raise ConfigurationError(f"There is no file {path}.")
    return Sidecar(path)


def _inside(folders: Iterable[Path], name: str) -> Iterator[Sidecar]:
    for folder in dict.fromkeys(folders):
        for path in sorted(folder.iterdir()):
            if path.name.lower() == name and path.is_file():
                yield Sidecar(path, folder)
                break
