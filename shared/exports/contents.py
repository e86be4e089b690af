"""The contents of exports: what a row is, the formats that can hold it, and the function that plans it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from shared.contracts.exports import ExportContent, ExportFormat
from shared.db.models import Job
from shared.errors import InvalidRequest
from shared.exports.formats import FORMATS
from shared.exports.sheet import Sheet, plan, plan_tiles
from shared.jobs.results import ResultFilter


@dataclass(frozen=True, slots=True)
class Content:
    """A row of the table of contents. ``formats``: the first is the one of a client that takes any."""

    formats: tuple[ExportFormat, ...]
    plan: Callable[[Session, Job, ResultFilter, int], Sheet]
    suffix: str = ""


CONTENTS: Mapping[ExportContent, Content] = {
    ExportContent.RESULTS: Content(
        tuple(ExportFormat), lambda session, job, only, columns: plan(session, job, only, metadata_columns=columns)
    ),
    # Ten thousand photographs are two million tiles: nothing for spreadsheets, and a tile is a box, not a place.
    ExportContent.TILES: Content(
        (ExportFormat.NDJSON, ExportFormat.PARQUET),
        lambda session, job, only, _columns: plan_tiles(session, job, only),
        ".tiles",
    ),
}


def plan_export(
    session: Session, job: Job, content: ExportContent, only: ResultFilter, *, metadata_columns: int
) -> Sheet:
    """Plan an export, as it would be now, of a job that the caller has found for its tenant.

    Raises:
        InvalidRequest: the job has no such rows.
    """
    return CONTENTS[content].plan(session, job, only, metadata_columns)


def check_format(content: ExportContent, name: ExportFormat) -> None:
    """Check that a format can hold a content.

    Raises:
        InvalidRequest: it cannot; the message says which can.
    """
    able = CONTENTS[content].formats
    if name not in able:
        raise InvalidRequest(f"an export of {content} is written as {' or '.join(able)}, not as {name}")


def suffix_of(content: ExportContent, name: ExportFormat) -> str:
    """Return the end of the file's name."""
    return CONTENTS[content].suffix + FORMATS[name].suffix
