"""``submit --dry-run``: what a job would cost; and what is checked of tiles before the first upload."""

from __future__ import annotations

import itertools
from pathlib import Path

from phytobatch.commands.command import Context
from phytobatch.errors import ConfigurationError, PhytobatchError
from phytobatch.exit_codes import ExitCode
from phytobatch.files.discovery import find_images
from phytobatch.resources import Classifier, ClassifierRef, Job
from phytobatch.retry import RetryPolicy
from phytobatch.sdk import Phytobatch
from phytobatch.tiles.estimate import Estimate, estimate
from phytobatch.tiles.settings import TileSettings, chosen
from phytobatch.tiles.tiling import Tiling
from phytobatch.words import in_bytes, in_time, plural, speed

MAX_SIZES = 20  # lines of a table for people; --json has every photograph
MAX_UNREAD = 5
# Of the newest jobs, the most that are asked for their speed: each is a request.
MAX_JOBS_ASKED = 5
TOO_COARSE = "too_coarse"


def check_tiles(context: Context, settings: TileSettings, wanted: ClassifierRef | None) -> None:
    """Refuse tiles that the classifier has not learned, and warn of photographs that it cannot read.

    Raises:
        ConfigurationError: ``auto``, and it has learned none; or there is no such classifier.
    """
    if settings.tiling is None or not (settings.tiling.is_auto or settings.ground_resolution_mm):
        return
    _check(context, settings, chosen(context.client.classifiers(), wanted))


def _check(context: Context, settings: TileSettings, one: Classifier) -> None:
    settings.resolved(one)
    coarse = settings.all_too_coarse(one)
    if coarse is not None:
        context.output.warn(coarse)


def dry_run(context: Context, paths: list[Path], settings: TileSettings, wanted: ClassifierRef | None) -> ExitCode:
    """Print what a submission would cost, and send nothing.

    Raises:
        ConfigurationError: there is no image, or nothing says how large a tile is in pixels.
    """
    search = find_images(paths)
    if not search.files:
        raise ConfigurationError(search.emptiness(paths))
    one = _classifier(context, settings, wanted)
    if one is not None:
        _check(context, settings, one)
    # A photograph that is skipped is one tile of work: nothing is cut.
    is_skipped = one is not None and settings.skips_all(one)
    found = estimate(search.files, None if is_skipped else _in_pixels(settings, one))
    per_second = None if one is None else _measured_speed(context.client, one, settings)
    seconds = found.tiles / per_second if per_second else None
    if context.output.as_json:
        files = [photograph.to_json() for photograph in found.photographs]
        totals = {"photographs": len(files), "tiles": found.tiles, "per_second": per_second, "seconds": seconds}
        context.output.document({**totals, "files": files})
        return ExitCode.OK
    _print(context, found, settings, sum(file.size for file in search.files))
    if per_second and seconds:
        unit = "images" if settings.tiling is None else "tiles"
        context.output.text(f"about {in_time(seconds)} at {speed(per_second, unit)}, the speed of the last such job")
    else:
        context.output.note("how long that takes is known once this key has had such a job")
    return ExitCode.OK


def _classifier(context: Context, settings: TileSettings, wanted: ClassifierRef | None) -> Classifier | None:
    """Return the classifier; None where no server is reached and none is needed to count."""
    try:
        quick = context.client.with_retry(RetryPolicy(total_seconds=0))
        return chosen(quick.classifiers(), wanted)
    except PhytobatchError:
        if wanted is not None or (settings.tiling is not None and settings.tiling.is_auto):
            raise
        return None


def _in_pixels(settings: TileSettings, one: Classifier | None) -> Tiling | None:
    tiling = settings.tiling if one is None else settings.resolved(one)
    if tiling is None:
        return None
    in_pixels = tiling.in_pixels(settings.ground_resolution_mm)
    if in_pixels is None:
        raise ConfigurationError(
            f"Tiles of {tiling} cannot be counted here: say --ground-resolution MM, or send the photographs; the "
            "server finds out by the height and the lens of each."
        )
    return in_pixels


def _measured_speed(client: Phytobatch, one: Classifier, settings: TileSettings) -> float | None:
    """Return the work in a second of this key's last finished job of the same kind; None: there was none."""
    kind = settings.tiling is not None
    alike = (
        job
        for job in client.jobs_page(limit=100).items
        if job.finished_at
        and job.classifier == ClassifierRef(one.name, one.version)
        and (job.tiling is not None) == kind
        and not _has_skipped(job)
    )
    for job in itertools.islice(alike, MAX_JOBS_ASKED):
        progress = client.job(job.id).progress
        of_work = progress.work.per_second if progress and progress.work else None
        measured = of_work if kind else progress and progress.images_per_second
        if measured:
            return measured
    return None


def _has_skipped(job: Job) -> bool:
    """Return True if photographs of it were skipped: that costs next to nothing, and says nothing of those read."""
    return job.on_coarse == "skip" and TOO_COARSE in {warning["code"] for warning in job.warnings}


def _print(context: Context, found: Estimate, settings: TileSettings, size: int) -> None:
    output, sizes = context.output, found.by_size()
    if settings.tiling is not None:
        titles = ("pixels", "photographs", "tiles each", "tiles")
        rows = [
            (f"{width} x {height}", f"{number:,}", f"{tiles:,}", f"{number * tiles:,}")
            for (width, height), number, tiles in sizes[:MAX_SIZES]
        ]
        output.table(titles, rows, right=titles)
        if len(sizes) > MAX_SIZES:
            output.text(f"… and {len(sizes) - MAX_SIZES:,} more sizes")
    unread = found.unread
    if unread:
        names = ", ".join(one.file.path.name for one in unread[:MAX_UNREAD])
        more = ", …" if len(unread) > MAX_UNREAD else ""
        output.warn(f"{plural(len(unread), 'photograph')} whose size cannot be read, not counted: {names}{more}")
    total = "" if settings.tiling is None else f", {plural(found.tiles, 'tile')}"
    output.text(f"{plural(len(found.photographs), 'photograph')}{total}, {in_bytes(size)}; nothing was sent")
