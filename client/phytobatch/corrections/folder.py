"""A training folder of corrected images: one folder for each label, with the originals in it, and cut-outs of tiles.

Names of files are made of job, number, tile and name, so that folders of several jobs can be one, and the next call
finds what is there: it brings what is missing, and removes what has another label now. Beside the folders of labels
stands a small JSON for each job whose tiles were corrected: their edge, and how large a pixel is on the ground, so that
a training knows which tiles it has learned to read.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from threading import Lock

from phytobatch.corrections.cutting import check_can_cut, cut
from phytobatch.corrections.resources import Correction
from phytobatch.errors import ConfigurationError, DownloadRefused, FileUnreadable
from phytobatch.files.naming import MAX_LETTERS, UNSAFE

AT_A_TIME = 8
# In any case, and with any suffix: NUL.txt is NUL.
DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
TILES_FILE = "tiles.json"  # behind the beginning that the names of the job's files have
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

Fetch = Callable[[int, Path], None]
"""Brings the image with a number into a file, going on with what is there of it."""

Targets = Mapping[Path, Correction]


@dataclass
class FolderOutcome:
    """Counts of a training folder after a call. ``unreadable``: tiles that could not be cut out, and the reason."""

    labels: dict[str, int] = field(default_factory=dict)
    new: int = 0
    removed: int = 0
    missing: list[Correction] = field(default_factory=list)
    unreadable: list[tuple[Correction, str]] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """True if everything is there."""
        return not self.missing and not self.unreadable


@dataclass(frozen=True)
class Photograph:
    """An image of the job and what it brings into the folder: itself, some of its tiles, or both.

    ``aside`` is where the original waits that is brought for its tiles alone.
    """

    seq: int
    targets: Targets
    fetch: Fetch
    cutting: Lock  # One photograph of 50 megapixels is 150 MB of memory.
    aside: Path

    def bring(self) -> FolderOutcome:
        """Bring what is missing of it.

        Raises:
            OSError: the folder cannot be written to.
            NetworkError, DownloadError: another call goes on where this one ended.
        """
        outcome = FolderOutcome()
        missing = {path: one for path, one in self.targets.items() if not path.exists()}
        if missing:
            self._bring(missing, outcome)
        lost = {*map(_key, outcome.missing), *(_key(one) for one, _ in outcome.unreadable)}
        for one in self.targets.values():
            if _key(one) not in lost:
                outcome.labels[one.label or ""] = outcome.labels.get(one.label or "", 0) + 1
        return outcome

    def _bring(self, missing: Targets, outcome: FolderOutcome) -> None:
        whole = next((path for path, one in self.targets.items() if one.tile is None), None)
        if whole is None or not whole.exists():
            part = self.aside if whole is None else whole.with_name(f".{whole.name}.part")
            try:
                self.fetch(self.seq, part)
            except DownloadRefused:
                part.unlink(missing_ok=True)
                outcome.missing += missing.values()
                return
            if whole is not None:
                part.replace(whole)
                outcome.new += 1
        tiles = {path: one for path, one in missing.items() if one.tile is not None}
        try:
            self._cut(whole or self.aside, tiles)
            outcome.new += len(tiles)
        except FileUnreadable as error:
            outcome.unreadable += [(one, str(error)) for one in tiles.values()]
        finally:
            self.aside.unlink(missing_ok=True)

    def _cut(self, original: Path, tiles: Targets) -> None:
        if not tiles:
            return
        parts = {path.with_name(f".{path.name}.part"): path for path in tiles}
        boxes = {part: box for part, path in parts.items() if (box := tiles[path].box) is not None}
        try:
            if len(boxes) < len(tiles):
                raise FileUnreadable("the server does not say where the tile lies")
            with self.cutting:
                cut(original, boxes)
            for part, path in parts.items():
                part.replace(path)
        finally:
            for part in parts:
                part.unlink(missing_ok=True)


def synchronise(job_id: str, corrections: Sequence[Correction], folder: Path, fetch: Fetch) -> FolderOutcome:
    """Bring the folder in line with the corrections.

    Raises:
        ConfigurationError: it cannot be written to, or Pillow is missing for tiles.
        NetworkError, DownloadError: another call goes on where this one ended.
    """
    if any(one.tile is not None for one in corrections):
        check_can_cut()
    targets = {path_of(job_id, one, folder): one for one in corrections}
    outcome = FolderOutcome()
    try:
        outcome.removed = _remove_others(job_id, folder, set(targets))
        for parent in {path.parent for path in targets}:
            parent.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="original") as pool:
            brought = list(pool.map(Photograph.bring, _photographs(job_id, targets, folder, fetch)))
        _write_tiles_file(job_id, targets, folder)
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be written to: {error.strerror or error}.") from error
    for one in brought:
        _add(outcome, one)
    return outcome


def path_of(job_id: str, correction: Correction, folder: Path) -> Path:
    """Return the path of the image or the tile of a correction.

    The sign behind the number tells them apart: an image may be called like a tile, but not begin like one.

    Raises:
        ConfigurationError: the label cannot be the name of a folder.
    """
    label = correction.label or ""
    if not LABEL.fullmatch(label) or (sys.platform == "win32" and _is_of_windows(label)):
        raise ConfigurationError(f"{correction.label!r} cannot be the name of a folder.")
    begin = _photograph_name(job_id, correction.seq)
    name = UNSAFE.sub("_", PurePosixPath(correction.name).name)
    if correction.tile is not None:
        return folder / label / f"{begin}.{correction.tile:05d}-{PurePosixPath(name).stem[-MAX_LETTERS:]}.png"
    return folder / label / f"{begin}-{name[-MAX_LETTERS:].rstrip('.')}"  # Windows cuts dots off.


def _is_of_windows(name: str) -> bool:
    """Return whether Windows takes this name for a device, or cuts off its end."""
    return name.endswith(".") or DEVICE.fullmatch(name) is not None


def beginning_of(job_id: str) -> str:
    """Return the beginning of the names of a job's files: the end of its id.

    The beginning of an id is the time, which jobs of one day share.
    """
    return f"{UNSAFE.sub('', job_id)[-12:]}-"


def _photograph_name(job_id: str, seq: int) -> str:
    """Return the beginning of the names of a photograph and of all its tiles."""
    return f"{beginning_of(job_id)}{seq:06d}"


def _write_tiles_file(job_id: str, targets: Targets, folder: Path) -> None:
    """Write the edge of the tiles of each photograph, in its pixels, and millimetres in one of them (None: unknown)."""
    path = folder / f"{beginning_of(job_id)}{TILES_FILE}"
    photographs = {
        _photograph_name(job_id, one.seq): {
            "edge": max(one.box[2] - one.box[0], one.box[3] - one.box[1]),
            "ground_resolution_mm": one.ground_resolution_mm,
        }
        for path, one in targets.items()
        if one.box is not None and path.exists()
    }
    if not photographs:
        path.unlink(missing_ok=True)
        return
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps({"job": job_id, "photographs": photographs}, indent=1) + "\n", encoding="utf-8")
    part.replace(path)


def _key(one: Correction) -> tuple[int, int | None]:
    return one.seq, one.tile


def _photographs(job_id: str, targets: Targets, folder: Path, fetch: Fetch) -> Iterable[Photograph]:
    by_image: dict[int, dict[Path, Correction]] = defaultdict(dict)
    for path, one in targets.items():
        by_image[one.seq][path] = one
    cutting = Lock()
    return [
        Photograph(seq, of_image, fetch, cutting, folder / f".{_photograph_name(job_id, seq)}.part")
        for seq, of_image in by_image.items()
    ]


def _add(outcome: FolderOutcome, one: FolderOutcome) -> None:
    for label, count in one.labels.items():
        outcome.labels[label] = outcome.labels.get(label, 0) + count
    outcome.new += one.new
    outcome.missing += one.missing
    outcome.unreadable += one.unreadable


def _remove_others(job_id: str, folder: Path, targets: Iterable[Path]) -> int:
    """Remove files of this job whose label has changed or was taken back; their names tell the job."""
    pattern = re.compile(re.escape(beginning_of(job_id)) + r"[0-9]{6,}(\.[0-9]{5,})?-")
    others = [path for path in folder.glob("*/*") if pattern.match(path.name) and path not in targets]
    for path in others:
        path.unlink()
    return len(others)
