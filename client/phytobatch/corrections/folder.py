"""A training folder of corrected images: one folder for each label, with the originals in it.

Names of files are made of job, number and name, so that folders of several jobs can be one, and the next call finds
what is there: it brings what is missing, and removes what has another label now.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from phytobatch.corrections.resources import Correction
from phytobatch.errors import ConfigurationError, DownloadRefused

AT_A_TIME = 8
MOST_LETTERS = 100
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

Fetch = Callable[[int, Path], None]
"""Brings the image with a number into a file, going on with what is there of it."""


@dataclass(slots=True)
class Brought:
    """What became of a folder."""

    labels: dict[str, int] = field(default_factory=dict)
    new: int = 0
    removed: int = 0
    missing: list[Correction] = field(default_factory=list)


def bring(job_id: str, corrections: Sequence[Correction], folder: Path, fetch: Fetch) -> Brought:
    """Make the folder say what the corrections say.

    Raises:
        ConfigurationError: it cannot be written to.
        NetworkError, DownloadError: another call goes on where this one ended.
    """
    wanted = {path_of(job_id, one, folder): one for one in corrections}
    brought = Brought()
    try:
        brought.removed = _remove_others(job_id, folder, set(wanted))
        for parent in {path.parent for path in wanted}:
            parent.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="original") as pool:
            found = list(pool.map(lambda pair: _one(pair[0], pair[1], fetch), wanted.items()))
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be written to: {error.strerror or error}.") from error
    for (_, one), what in zip(wanted.items(), found, strict=True):
        _count(brought, one, what)
    return brought


def path_of(job_id: str, correction: Correction, folder: Path) -> Path:
    """Where the image of a correction belongs.

    Raises:
        ConfigurationError: the label cannot be the name of a folder.
    """
    if not LABEL.fullmatch(correction.label):
        raise ConfigurationError(f"{correction.label!r} cannot be the name of a folder.")
    name = UNSAFE.sub("_", PurePosixPath(correction.name).name)[-MOST_LETTERS:]
    return folder / correction.label / f"{_prefix(job_id)}{correction.seq:06d}-{name}"


def _prefix(job_id: str) -> str:
    """The end of the id: its beginning is the time, which jobs of one day share."""
    return f"{UNSAFE.sub('', job_id)[-12:]}-"


def _one(path: Path, correction: Correction, fetch: Fetch) -> bool | None:
    """Whether the image is new; None: there is no such file."""
    if path.exists():
        return False
    part = path.with_name(f".{path.name}.part")
    try:
        fetch(correction.seq, part)
    except DownloadRefused:
        part.unlink(missing_ok=True)
        return None
    part.replace(path)
    return True


def _count(brought: Brought, one: Correction, is_new: bool | None) -> None:  # noqa: FBT001  # what _one says
    if is_new is None:
        brought.missing.append(one)
        return
    brought.labels[one.label] = brought.labels.get(one.label, 0) + 1
    brought.new += is_new


def _remove_others(job_id: str, folder: Path, wanted: Iterable[Path]) -> int:
    """Files of this job, by their names, whose label has changed or was taken back."""
    pattern = re.compile(re.escape(_prefix(job_id)) + r"[0-9]{6}-")
    others = [path for path in folder.glob("*/*") if pattern.match(path.name) and path not in wanted]
    for path in others:
        path.unlink()
    return len(others)
