"""Finding the image files below folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from phytobatch.files.file_names import is_image_name, is_system_name


@dataclass(frozen=True)
class FoundFile:
    """An image file: ``root`` is the folder it was found below, ``relative`` its way from there with ``/``."""

    path: Path
    root: Path
    relative: str
    size: int
    mtime_ns: int


@dataclass
class Search:
    """The outcome of a search: images, unreadable paths with a reason, and the number of files that are no images."""

    files: list[FoundFile] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    other_files: int = 0

    def emptiness(self, paths: Iterable[Path]) -> str:
        """Return the sentence that says that there is nothing to send in ``paths``."""
        return f"There is no image in {', '.join(map(str, paths))} ({self.other_files:,} other files)."


def find_images(paths: Iterable[Path]) -> Search:
    """Find every image below the given folders, and every file given by name whatever its suffix, each file once.

    Hidden and system files and folders (``.name``, ``@eaDir``, ``$RECYCLE.BIN``) below a given folder are passed over,
    links to folders are followed but never into a folder that was already seen. The order is that of the arguments,
    then of the names.
    """
    search = Search()
    folders: set[tuple[int, int]] = set()
    files: set[tuple[int, int]] = set()
    listed = list(paths)
    for path in listed:
        absolute = _absolute(path)
        is_folder = absolute.is_dir()
        if is_folder and len(listed) > 1 and is_system_name(absolute.name):
            continue  # A shell named it: `submit *` means the photographs, not the recycle bin beside them.
        root = absolute if is_folder else absolute.parent
        for candidate in _walk(absolute, folders, search) if is_folder else (absolute,):
            _take(candidate, root, files, search)
    return search


def _absolute(path: Path) -> Path:
    # "..", which is no name for a folder, is only resolved where it stands: a link keeps the name that people gave it.
    return path.resolve() if ".." in path.parts else path.absolute()


def _walk(folder: Path, seen: set[tuple[int, int]], search: Search) -> Iterator[Path]:
    try:
        status = folder.stat()
        if (status.st_dev, status.st_ino) in seen:
            return
        seen.add((status.st_dev, status.st_ino))
        with os.scandir(folder) as entries:
            visible = sorted((e for e in entries if not is_system_name(e.name)), key=lambda entry: entry.name)
    except OSError as error:
        _report(search, folder, error)
        return
    for entry in visible:
        if _is_folder(entry):
            yield from _walk(Path(entry.path), seen, search)
        elif is_image_name(entry.name):
            yield Path(entry.path)
        else:
            search.other_files += 1


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # A link that leads in a circle: it is no folder, and reading it will say why.
        return False


def _take(path: Path, root: Path, seen: set[tuple[int, int]], search: Search) -> None:
    try:
        status = path.stat()
    except OSError as error:
        _report(search, path, error)
        return
    # The same file by two ways (a folder and a folder inside it) is one image; st_ino is 0 on some file systems.
    identity = (status.st_dev, status.st_ino or hash(path.resolve()))
    if identity in seen and status.st_nlink == 1:
        return
    seen.add(identity)
    relative = path.relative_to(root).as_posix()
    search.files.append(FoundFile(path, root, relative, status.st_size, status.st_mtime_ns))


def _report(search: Search, path: Path, error: OSError) -> None:
    search.unreadable.append((str(path), error.strerror or str(error)))
