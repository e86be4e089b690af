"""A training folder of corrected images: one folder for each label, with the originals in it.

Names of files are made of job, number and name, so that folders of several jobs can be one, and the next call finds
what is there: it brings what is missing, and removes what has another label now.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from phytobatch.corrections.resources import Correction
from phytobatch.errors import ConfigurationError, DownloadRefused

AT_A_TIME = 8
MAX_LETTERS = 100
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
# In any case, and with any suffix: NUL.txt is NUL.
DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

Fetch = Callable[[int, Path], None]
"""Brings the image with a number into a file, going on with what is there of it."""


@dataclass
class FolderOutcome:
    """Counts of a training folder after a call."""

    labels: dict[str, int] = field(default_factory=dict)
    new: int = 0
    removed: int = 0
    missing: list[Correction] = field(default_factory=list)


def synchronise(job_id: str, corrections: Sequence[Correction], folder: Path, fetch: Fetch) -> FolderOutcome:
    """Bring the folder in line with the corrections.

    Raises:
        ConfigurationError: it cannot be written to.
        NetworkError, DownloadError: another call goes on where this one ended.
    """
    targets = {path_of(job_id, one, folder): one for one in corrections}
    outcome = FolderOutcome()
    try:
        outcome.removed = _remove_others(job_id, folder, set(targets))
        for parent in {path.parent for path in targets}:
            parent.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="original") as pool:
            outcomes = list(pool.map(lambda pair: _one(pair[0], pair[1], fetch), targets.items()))
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be written to: {error.strerror or error}.") from error
    for (_, one), what in zip(targets.items(), outcomes):
        _count(outcome, one, what)
    return outcome


def path_of(job_id: str, correction: Correction, folder: Path) -> Path:
    """Return the path of the image of a correction.

    Raises:
        ConfigurationError: the label cannot be the name of a folder.
    """
    if not LABEL.fullmatch(correction.label) or (sys.platform == "win32" and _is_of_windows(correction.label)):
        raise ConfigurationError(f"{correction.label!r} cannot be the name of a folder.")
    name = UNSAFE.sub("_", PurePosixPath(correction.name).name)[-MAX_LETTERS:].rstrip(".")  # Windows cuts dots off.
    return folder / correction.label / f"{_prefix(job_id)}{correction.seq:06d}-{name}"


def _is_of_windows(name: str) -> bool:
    """Return whether Windows takes this name for a device, or cuts off its end."""
    return name.endswith(".") or DEVICE.fullmatch(name) is not None


def _prefix(job_id: str) -> str:
    """Return the end of the id: its beginning is the time, which jobs of one day share."""
    return f"{UNSAFE.sub('', job_id)[-12:]}-"


def _one(path: Path, correction: Correction, fetch: Fetch) -> bool | None:
    """Return whether the image is new; None: there is no such file."""
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


def _count(outcome: FolderOutcome, one: Correction, is_new: bool | None) -> None:  # noqa: FBT001  # what _one says
    if is_new is None:
        outcome.missing.append(one)
        return
    outcome.labels[one.label] = outcome.labels.get(one.label, 0) + 1
    outcome.new += is_new


def _remove_others(job_id: str, folder: Path, targets: Iterable[Path]) -> int:
    """Remove files of this job whose label has changed or was taken back; their names tell the job."""
    pattern = re.compile(re.escape(_prefix(job_id)) + r"[0-9]{6}-")
    others = [path for path in folder.glob("*/*") if pattern.match(path.name) and path not in targets]
    for path in others:
        path.unlink()
    return len(others)
