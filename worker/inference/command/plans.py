"""The tiles of the files on a command line: planned by the rules of a job."""

import argparse
import mmap
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from shared.contracts.manifest import Manifest
from shared.contracts.states import ImageErrorCode
from shared.contracts.tiling import (
    AUTO,
    MAX_GROUND_RESOLUTION_MM,
    MIN_GROUND_RESOLUTION_MM,
    OnCoarse,
    Tiling,
    read_short,
)
from shared.tiles.plan import TilePlanner
from worker.inference.errors import ImageError
from worker.inference.heads.head import Head, read_head
from worker.inference.items import Item, Outcome
from worker.inference.limits import DEFAULT_LIMITS
from worker.inference.tiles.answer import answer_of_skipped
from worker.inference.tiles.tile_cut import TileCut

WITHOUT_TILING = (
    "{name} {version} has not learned any tiles (its manifest has no `tiling`); give their edge, as --tiles 256."
)
UNKNOWN = (
    "Tiles in millimetres need the ground resolution of a photograph, and this file does not say it; give "
    "--ground-resolution MM (millimetres in one pixel)."
)


class NoTiles(Exception):
    """A tiling that makes no sense here; the text is a sentence for the person at the keyboard."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The tiles that a command line asks for; ``ground_resolution_mm`` is that of all files, or None."""

    tiling: Tiling
    on_coarse: OnCoarse
    ground_resolution_mm: float | None


def read_tiling(text: str) -> Tiling:
    """Read ``--tiles``, for argparse.

    Raises:
        argparse.ArgumentTypeError: it is none; the message says what is.
    """
    try:
        return read_short(text)
    except ValidationError as error:
        message = error.errors()[0]["msg"]
        raise argparse.ArgumentTypeError(f"{text!r} is no tiling: {message}") from None
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} {error}") from None


def read_resolution(text: str) -> float:
    """Read ``--ground-resolution``, for argparse: millimetres in one pixel.

    Raises:
        argparse.ArgumentTypeError: it is none; the message says what is.
    """
    try:
        mm = float(text)
    except ValueError:
        mm = 0.0
    if not MIN_GROUND_RESOLUTION_MM <= mm <= MAX_GROUND_RESOLUTION_MM:
        span = f"{MIN_GROUND_RESOLUTION_MM:g} to {MAX_GROUND_RESOLUTION_MM:g}"
        raise argparse.ArgumentTypeError(f"{text!r} is not from {span} millimetres")
    return mm


class FilePlanner:
    """Plans the files of a command line, one after another."""

    def __init__(self, asked: Asked, manifest: Manifest) -> None:
        """Join what is asked with what the classifier has learned.

        Raises:
            NoTiles: ``auto``, and it has not learned any tiles.
        """
        if asked.tiling == AUTO and manifest.tiling is None:
            raise NoTiles(WITHOUT_TILING.format(name=manifest.name, version=manifest.version))
        self._manifest = manifest
        self._planner = TilePlanner.of(
            AUTO if asked.tiling == AUTO else asked.tiling.model_dump(),
            on_coarse=asked.on_coarse,
            ground_resolution_mm=asked.ground_resolution_mm,
            manifest=manifest,
            max_tiles=DEFAULT_LIMITS.tiles,
        )

    def plan(self, seq: int, path: Path) -> Item | Outcome:
        """Return what the pipeline gets, or the outcome of a photograph that nobody has to decode."""
        head = _head(path)
        size, planner = head.upright_size, self._planner
        plan = planner.plan(size, head.pose)
        if plan.edge is None:
            return Outcome(seq, error=ImageError(ImageErrorCode.GROUND_RESOLUTION_UNKNOWN, UNKNOWN))
        cut = TileCut(plan.edge, planner.tiles.overlap, is_coarse=plan.is_too_coarse)
        if plan.is_too_coarse and planner.on_coarse is OnCoarse.SKIP and size is not None:
            return self._skipped(seq, size, cut)
        return Item(seq, str(path), path.stat().st_size, tiles=cut)

    def _skipped(self, seq: int, size: tuple[int, int], cut: TileCut) -> Outcome:
        try:
            return Outcome(seq, answer=answer_of_skipped(*size, cut, self._manifest))
        except ImageError as error:
            return Outcome(seq, error=error)


def _head(path: Path) -> Head:
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return read_head(data)
    except (OSError, ValueError):  # It is empty, or gone: whoever decodes it says so.
        return Head()
