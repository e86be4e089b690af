"""Sentences about the sidecars of a submission."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from phytobatch.resources import SidecarReport
from phytobatch.words import plural

MAX_LINES = 10  # of a list, for a person; --json has all that the server names


def sidecar_words(reports: Sequence[tuple[str, SidecarReport]]) -> Iterator[str]:
    """Return lines for a person about sidecars, each with its path."""
    for path, report in reports:
        yield f"{path}: {report.matched:,} of {plural(report.lines, 'line')} matched an image"
        for miss in report.unmatched[:MAX_LINES]:
            yield f"  line {miss.line} ({miss.name}): {miss.reason}"
        yield from _more(report.lines - report.matched)
    if reports:
        yield from _without_position(reports[-1][1])


def _without_position(last: SidecarReport) -> Iterator[str]:
    if last.images_without_position in {0, last.images}:  # All have one, or the files are about something else.
        return
    yield (
        f"{last.images_without_position:,} of {plural(last.images, 'image')} got no position from these files; "
        "the one inside the image counts, if there is one:"
    )
    yield from (f"  {name}" for name in last.without_position[:MAX_LINES])
    yield from _more(last.images_without_position)


def _more(count: int) -> Iterator[str]:
    if count > MAX_LINES:
        yield f"  … and {count - MAX_LINES:,} more"
