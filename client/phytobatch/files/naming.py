"""Names of images in a job: unique, stable, and readable in a table of results."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath, PurePosixPath

from phytobatch.files.discovery import FoundFile
from phytobatch.text import printable

UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
MAX_LETTERS = 100


def assign_names(files: Sequence[FoundFile], known: Mapping[Path, str] | None = None) -> dict[Path, str]:
    """Return a name for each file, by its path.

    The name is the way from the given folder. Where two given folders hold the same name, every file of those folders
    gets the folder's own name in front (as many of its parents as tell them apart): ``east/1.jpg``, ``west/1.jpg``.

    Args:
        files: what was found.
        known: names that are already in use for these paths; they are kept.
    """
    known = known or {}
    labels = _labels(_colliding_roots(files))
    taken = set(known.values())
    names: dict[Path, str] = {}
    for file in files:
        name = known.get(file.path)
        if name is None:
            name = free_name(printable(_join(labels.get(file.root), file.relative)), taken)
            taken.add(name)
        names[file.path] = name
    return names


def free_name(name: str, taken: Iterable[str]) -> str:
    """Return ``name``, or the first of ``stem~2.suffix``, ``stem~3.suffix`` … that is not taken."""
    taken = taken if isinstance(taken, (set, dict, frozenset)) else set(taken)
    path = PurePosixPath(name)
    candidate, number = name, 2
    while candidate in taken:
        candidate = str(path.with_name(f"{path.stem}~{number}{path.suffix}"))
        number += 1
    return candidate


def safe_file_name(name: str) -> str:
    """Return the last part of an image's name as the name of a file on any system, at most 100 letters long."""
    return UNSAFE.sub("_", PurePosixPath(name).name)[-MAX_LETTERS:].strip(".") or "image"


def _colliding_roots(files: Sequence[FoundFile]) -> list[Path]:
    # Two ways that look alike, composed and decomposed, are one name for whoever reads or writes a table.
    ways = [(file.root, unicodedata.normalize("NFC", file.relative)) for file in files]
    count = Counter(way for _, way in ways)
    return list(dict.fromkeys(root for root, way in ways if count[way] > 1))


def _labels(roots: Sequence[Path]) -> dict[Path, str]:
    """Return the shortest end of each folder's path that no other of them has."""
    labels: dict[Path, str] = {}
    for length in range(1, max((len(root.parts) for root in roots), default=0) + 1):
        by_end: dict[str, list[Path]] = defaultdict(list)
        for root in roots:
            by_end[_end(root, length)].append(root)
        for end, owners in by_end.items():
            if len(owners) == 1:
                labels.setdefault(owners[0], end)
    return labels


def _end(root: PurePath, length: int) -> str:
    """Return the last parts of a path with ``/``, without the colon of a drive and the slashes before a server."""
    anchor = root.anchor.replace("\\", "/").replace(":", "").strip("/")
    parts = [anchor if part == root.anchor else part for part in root.parts[-length:]]
    return "/".join(parts).lstrip("/")


def _join(label: str | None, relative: str) -> str:
    return f"{label}/{relative}" if label else relative
