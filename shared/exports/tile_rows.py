"""Rows of an export of tiles: maps are read page by page, and unpacked one after the other.

As with results, nothing is held between two pages, and all of them show the answers that were there when the export
began. A photograph of 221 tiles is 221 rows, so pages of photographs are short and their rows are handed on in parts.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from shared.contracts.tiles import REVIEW_OF, SKIP_OF
from shared.corrections.standing import corrected_tiles
from shared.db.models import Image, Result, TileMapRow
from shared.db.plans import walk_in_order
from shared.db.session import Database
from shared.exports.columns import PROBABILITY_DIGITS, Column, Kind
from shared.exports.rows import check_complete
from shared.jobs.results import ResultFilter
from shared.tiles.codec import decode
from shared.tiles.tile_map import FULL, NO_LABEL

PAGE_IMAGES = 200
# Of a row besides the name of its image.
TILE_BYTES = 256


class TileRow(NamedTuple):
    """One tile with its answer; its box in pixels of the upright original, right and bottom outside."""

    seq: int
    name: str
    tile: int
    left: int
    top: int
    right: int
    bottom: int
    label: str | None
    confidence: float | None
    review_reason: str | None
    skipped: str | None
    corrected_label: str | None


TilePage = list[TileRow]


class Mapped(NamedTuple):
    """A photograph with its map as it is stored, and the labels that people gave to its tiles."""

    seq: int
    name: str
    map: bytes
    corrected: Mapping[int, str]


# The columns of a :class:`Mapped` photograph, in its order.
MAPPED: tuple[InstrumentedAttribute[Any], ...] = (Result.seq, Image.name, TileMapRow.map)


def tile_columns(name_width: int) -> tuple[Column, ...]:
    """List the columns of an export of tiles; ``name_width``: bytes of the longest name of an image."""
    kinds = {"name": Kind.TEXT, "confidence": Kind.NUMBER} | dict.fromkeys(
        ("label", "review_reason", "skipped", "corrected_label"), Kind.TEXT
    )
    return tuple(
        Column(
            name,
            kinds.get(name, Kind.INTEGER),
            attrgetter(name),
            digits=PROBABILITY_DIGITS if name == "confidence" else None,
            width=name_width if name == "name" else None,
        )
        for name in TileRow._fields
    )


def with_maps(wanted: Select[Any], job_id: uuid.UUID, *, upto: int, only: ResultFilter) -> Select[Any]:
    """Select ``wanted`` from the results of a job up to the number ``upto`` that have a map, with images and maps."""
    return (
        wanted.select_from(Result)
        .join(TileMapRow, and_(TileMapRow.job_id == Result.job_id, TileMapRow.seq == Result.seq))
        .join(Image, and_(Image.job_id == Result.job_id, Image.seq == Result.seq))
        .where(Result.job_id == job_id, Result.position <= upto, *only.conditions())
    )


def read_tile_pages(  # noqa: PLR0913  # what is read, and how much at a time
    database: Database,
    job_id: uuid.UUID,
    *,
    labels: Sequence[str],
    upto: int,
    rows: int,
    only: ResultFilter,
    page_images: int,
    page_rows: int,
) -> Iterator[TilePage]:
    """Yield the tiles of a job, in the order of the images and rows first, in pages of ``page_rows``.

    Args:
        database: where to read; no connection of it is held between two pages.
        job_id: the job; the caller has checked whose it is.
        labels: the class ids of the classifier, in the order of its outputs.
        upto: number of the last result that counts.
        rows: how many tiles there are; another number at the end is an error, never a file that looks complete.
        only: which photographs.
        page_images: photographs whose maps are in memory together.
        page_rows: tiles of a page.

    Raises:
        Conflict: the job was retried or deleted meanwhile.
        DatabaseUnavailable: Postgres stayed away.
        StoredMapInvalid: a newer program wrote a map, or it is damaged.
    """
    wanted = with_maps(select(*MAPPED), job_id, upto=upto, only=only)
    tiles = (
        tile
        for image in _read_images(database, job_id, wanted.order_by(Result.seq).limit(page_images), page_images)
        for tile in tiles_of(image, labels)
    )
    read = 0
    while page := list(islice(tiles, page_rows)):
        yield page
        read += len(page)
    check_complete(read, rows)


def _read_images(database: Database, job_id: uuid.UUID, wanted: Select[Any], page_images: int) -> Iterator[Mapped]:
    after = -1

    def next_page(session: Session) -> list[Mapped]:
        walk_in_order(session)
        behind = wanted.where(Result.seq > after, Image.seq > after, TileMapRow.seq > after)
        found = session.execute(behind).all()
        corrected = _corrected(session, job_id, after, found[-1].seq) if found else {}
        return [Mapped(row.seq, row.name, row.map, corrected.get(row.seq, {})) for row in found]

    while page := database.run(next_page):
        yield from page
        after = page[-1].seq
        if len(page) < page_images:
            break


def _corrected(session: Session, job_id: uuid.UUID, after: int, last: int) -> dict[int, dict[int, str]]:
    """Read the labels that people gave to tiles of the images behind ``after`` up to ``last``."""
    by_person = corrected_tiles(job_id)
    rows = session.execute(
        select(by_person.c.seq, by_person.c.tile, by_person.c.label).where(
            by_person.c.seq > after, by_person.c.seq <= last
        )
    )
    found: dict[int, dict[int, str]] = defaultdict(dict)
    for seq, tile, label in rows:
        found[seq][tile] = label
    return found


def tiles_of(image: Mapped, labels: Sequence[str]) -> Iterator[TileRow]:
    """Yield the tiles of a photograph, rows first."""
    stored = decode(image.map)
    answers = zip(stored.labels, stored.confidences, stored.reasons, strict=True)
    for tile, (label, confidence, reason) in enumerate(answers):
        is_skipped = label == NO_LABEL
        yield TileRow(
            image.seq,
            image.name,
            tile,
            *stored.grid.box(tile),
            None if is_skipped else labels[label],
            None if is_skipped else round(confidence / FULL, PROBABILITY_DIGITS),
            None if is_skipped else REVIEWS.get(reason),
            SKIPS.get(reason) if is_skipped else None,
            image.corrected.get(tile),
        )


REVIEWS = {number: reason.value for number, reason in REVIEW_OF.items()}
SKIPS = {number: reason.value for number, reason in SKIP_OF.items()}
