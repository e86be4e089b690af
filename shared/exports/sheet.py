"""The sheet of an export, known before its first row: columns, number of rows, and where on Earth they lie."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Text, cast, func, select, text, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from shared.classifiers.registry import manifest_of
from shared.contracts.exports import ExportContent
from shared.contracts.manifest import Manifest
from shared.contracts.states import JobState
from shared.db.models import Classifier, Image, Job, Result, TileMapRow
from shared.db.pages import bytes_of
from shared.db.plans import walk_in_order
from shared.db.session import Database
from shared.errors import InvalidRequest
from shared.exports.columns import DEGREE_DIGITS, Column, Corrected, Extras, Kind, MetadataKey, Widths, columns_of
from shared.exports.rows import PAGE_ROWS, Page, of_job, read_pages
from shared.exports.tile_rows import PAGE_IMAGES, TILE_BYTES, TilePage, read_tile_pages, tile_columns, with_maps
from shared.geography.metric import HALF_TURN, span_of
from shared.geography.place import latitude, longitude
from shared.jobs.results import ResultFilter, classifier_of
from shared.tiles.sums import count_tiles

# A number that a column of a shapefile can hold.
LONGEST_NUMBER = 18
TURN = 2 * HALF_TURN
# The name of a column, in bytes: it stands in each line of some formats. A longer key is among the others.
LONGEST_KEY = 128

PAGE_BYTES = 16 * 1024 * 1024  # of the texts and the metadata in memory
PROBABILITY_BYTES = 32
CELL_BYTES = 32  # a number of an explanation
BASE64 = 2  # letters of a byte, at most
_WIDTH = bytes_of(
    Image.name,
    cast(Image.metadata_, Text),
    cast(Result.tile_sums, Text),
    Result.error_detail,
    Corrected.note,
    Corrected.corrected_by,
)
_WIDTH += PROBABILITY_BYTES * func.coalesce(func.cardinality(Result.probabilities), 0)
_WIDTH += CELL_BYTES * bytes_of(Result.explanation) + BASE64 * bytes_of(Result.crop, Result.embedding)

KEYS = text(
    """
    SELECT key, octet_length(key) > :longest_key AS is_long, max(octet_length(value #>> '{}')) AS width,
           -- Only what comes back from a float as it was: the digits of a long code are no quantity.
           bool_and(CASE WHEN jsonb_typeof(value) = 'number' AND length(value #>> '{}') <= :longest
                         THEN (value #>> '{}')::float8::text::numeric = (value #>> '{}')::numeric ELSE false END)
               FILTER (WHERE jsonb_typeof(value) <> 'null') AS numbers,
           bool_and(jsonb_typeof(value) = 'number' AND value #>> '{}' ~ '^-?[0-9]{1,9}$')
               FILTER (WHERE jsonb_typeof(value) <> 'null') AS integers,
           bool_and(jsonb_typeof(value) = 'number' AND value #>> '{}' ~ '^-?[0-9]{1,18}$')
               FILTER (WHERE jsonb_typeof(value) <> 'null') AS longs,
           bool_and(jsonb_typeof(value) = 'boolean') FILTER (WHERE jsonb_typeof(value) <> 'null') AS flags,
           bool_and(jsonb_typeof(value) = 'string') FILTER (WHERE jsonb_typeof(value) <> 'null') AS texts
    FROM images, jsonb_each(metadata)
    WHERE job_id = :job AND jsonb_typeof(metadata) = 'object'
    GROUP BY key ORDER BY is_long, count(*) DESC, key LIMIT :limit
    """
)


@dataclass(frozen=True, slots=True)
class Extent:
    """The smallest box around every position, in degrees; over the 180th meridian west is greater than east."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def around(cls, edges: Sequence[float], south: float, north: float) -> "Extent | None":
        """Draw the box around the westernmost and easternmost longitude of each degree that has some; None without any.

        With some in every degree it is as wide as the Earth.
        """
        if not edges:
            return None
        west, east = span_of(edges)
        return (
            cls(-HALF_TURN, south, HALF_TURN, north) if 0 < (west - east) % TURN <= 1 else cls(west, south, east, north)
        )

    @property
    def bbox(self) -> list[float]:
        """West, south, east, north, rounded as positions are, so that each lies inside (RFC 7946, section 5)."""
        return [round(edge, DEGREE_DIGITS) for edge in (self.west, self.south, self.east, self.north)]

    @property
    def crosses_180(self) -> bool:
        """True where it lies on both sides of the 180th meridian."""
        return self.west > self.east


@dataclass(frozen=True, slots=True)
class Sheet:
    """An export before its first row.

    ``rows`` answers are written, ``positioned`` of them with a position; ``pending`` images of the job had no answer
    yet, and are not in the export. ``upto`` is the number of the last answer that counts.
    """

    job_id: uuid.UUID
    job_name: str | None
    state: JobState
    pending: int
    rows: int
    positioned: int
    extent: Extent | None
    labels: tuple[str, ...]
    columns: tuple[Column, ...]
    read_at: datetime
    upto: int
    only: ResultFilter
    # Bytes of the longest texts and metadata of one row.
    widest: int = 0
    content: ExportContent = ExportContent.RESULTS
    # Bytes of the largest map, of an export of tiles.
    largest_map: int = 0

    @property
    def readable_columns(self) -> tuple[Column, ...]:
        """Those without bytes, which programs alone can use."""
        return tuple(column for column in self.columns if column.kind is not Kind.BYTES)

    @property
    def flat_columns(self) -> tuple[Column, ...]:
        """Those of one value each, for formats that people read in rows."""
        return tuple(column for column in self.columns if column.kind not in {Kind.CELLS, Kind.BYTES})

    def pages(self, database: Database) -> Iterator[list[Any]]:
        """Read the pages: of :class:`shared.exports.columns.Record`, or of ``TileRow`` where tiles are exported."""
        return READERS[self.content](self, database)

    def images(self, database: Database) -> Iterator[Page]:
        """Read the pages of images, see :func:`shared.exports.rows.read_pages`."""
        return read_pages(
            database,
            self.job_id,
            upto=self.upto,
            rows=self.rows,
            only=self.only,
            page_rows=self.rows_within(PAGE_BYTES, PAGE_ROWS),
        )

    def tiles(self, database: Database) -> Iterator[TilePage]:
        """Read the pages of tiles, see :func:`shared.exports.tile_rows.read_tile_pages`."""
        return read_tile_pages(
            database,
            self.job_id,
            labels=self.labels,
            upto=self.upto,
            rows=self.rows,
            only=self.only,
            page_images=max(1, min(PAGE_IMAGES, PAGE_BYTES // max(1, self.largest_map))),
            page_rows=self.rows_within(PAGE_BYTES, PAGE_ROWS),
        )

    def rows_within(self, max_bytes: int, max_rows: int) -> int:
        """Count how many rows may be held in memory: each may be as wide as the widest; one at least."""
        return max(1, min(max_rows, max_bytes // max(1, self.widest)))


READERS: Mapping[ExportContent, Callable[[Sheet, Database], Iterator[list[Any]]]] = {
    ExportContent.RESULTS: Sheet.images,
    ExportContent.TILES: Sheet.tiles,
}


def plan(session: Session, job: Job, only: ResultFilter, *, metadata_columns: int) -> Sheet:
    """Plan an export of results, as it would be now, of a job that the caller has found for its tenant."""
    classifier = classifier_of(session, job)
    wanted = {"longest": LONGEST_NUMBER, "longest_key": LONGEST_KEY, "limit": metadata_columns + 1}
    keys = session.execute(KEYS, {"job": job.id, **wanted}).all()
    walk_in_order(session)
    facts, degrees = _read_facts(session, of_job(_facts(), job.id, upto=job.last_position, only=only))
    own = [key for key in keys[:metadata_columns] if not key.is_long]
    manifest = None if classifier is None else manifest_of(classifier)
    labels = () if manifest is None else manifest.labels
    return Sheet(
        job_id=job.id,
        job_name=job.name,
        state=JobState(job.state),
        pending=pending_of(job),
        rows=facts.rows,
        positioned=facts.positioned,
        extent=Extent.around(
            [edge for row in degrees if row.west is not None for edge in (row.west, row.east)], facts.south, facts.north
        ),
        labels=labels,
        columns=columns_of(
            labels,
            _version(classifier),
            sorted(map(_key, own), key=lambda key: key.name),
            has_more_keys=len(keys) > len(own),
            extras=_extras(job, manifest),
            widths=Widths(facts.name, facts.error_detail, facts.note, facts.corrected_by),
        ),
        read_at=facts.read_at,
        upto=job.last_position,
        only=only,
        widest=facts.widest,
    )


def _extras(job: Job, manifest: Manifest | None) -> Extras:
    named = manifest if job.tiling is None else None
    return Extras(
        tiles=job.tiling is not None,
        crops=named is not None and bool(named.crops),
        embeddings=named is not None and named.has_embedding,
        explanations=job.explain,
    )


def plan_tiles(session: Session, job: Job, only: ResultFilter) -> Sheet:
    """Plan an export of tiles, likewise; ``only`` chooses their photographs.

    Raises:
        InvalidRequest: the job does not cut its photographs.
    """
    check_has_tiles(job)
    classifier = classifier_of(session, job)
    walk_in_order(session)
    wanted = select(
        func.coalesce(func.sum(count_tiles(Result.tile_sums)), 0).label("rows"),
        _longest(Image.name).label("name"),
        func.coalesce(func.max(func.octet_length(TileMapRow.map)), 0).label("largest_map"),
        func.now().label("read_at"),
    )
    facts = session.execute(with_maps(wanted, job.id, upto=job.last_position, only=only)).one()
    return Sheet(
        job_id=job.id,
        job_name=job.name,
        state=JobState(job.state),
        pending=pending_of(job),
        rows=int(facts.rows),
        positioned=0,
        extent=None,
        labels=() if classifier is None else manifest_of(classifier).labels,
        columns=tile_columns(facts.name),
        read_at=facts.read_at,
        upto=job.last_position,
        only=only,
        widest=facts.name + TILE_BYTES,
        content=ExportContent.TILES,
        largest_map=facts.largest_map,
    )


def check_has_tiles(job: Job) -> None:
    """Check that a job cuts its photographs.

    Raises:
        InvalidRequest: it does not.
    """
    if job.tiling is None:
        raise InvalidRequest(
            "this job answers its photographs as wholes and has no tiles; leave `content` out, and each row is an image"
        )


def pending_of(job: Job) -> int:
    """Count the images without an answer."""
    return job.total - (job.succeeded + job.failed + job.rejected + job.canceled)


def _facts() -> Select[*tuple[Any, ...]]:
    """Count, extent and widths in one scan: of all images, and then of those in each degree of longitude."""
    degree = func.floor(longitude())
    return select(
        func.grouping(degree).label("of_all"),
        func.count().label("rows"),
        func.count(latitude()).label("positioned"),
        func.min(longitude()).label("west"),
        func.min(latitude()).label("south"),
        func.max(longitude()).label("east"),
        func.max(latitude()).label("north"),
        func.coalesce(func.max(_WIDTH), 0).label("widest"),
        _longest(Image.name).label("name"),
        _longest(Result.error_detail).label("error_detail"),
        _longest(Corrected.note).label("note"),
        _longest(Corrected.corrected_by).label("corrected_by"),
        func.now().label("read_at"),
    ).group_by(func.grouping_sets(tuple_(), degree))


def _read_facts(session: Session, query: Select[*tuple[Any, ...]]) -> tuple[Row[Any], list[Row[Any]]]:
    """Read the facts of all images, and those of each degree; told apart here, as sorting is switched off there."""
    rows = session.execute(query).all()
    (whole,) = (row for row in rows if row.of_all)
    return whole, [row for row in rows if not row.of_all]


def _longest(column: InstrumentedAttribute[Any]) -> ColumnElement[int]:
    return func.coalesce(func.max(func.octet_length(column)), 0)


def _version(classifier: Classifier | None) -> tuple[str, str] | None:
    return None if classifier is None else (classifier.name, classifier.version)


def _key(row: Row[Any]) -> MetadataKey:
    kinds = (
        (row.integers, Kind.INTEGER),
        (row.numbers, Kind.NUMBER),
        (row.longs, Kind.LONG),
        (row.flags, Kind.FLAG),
        (row.texts, Kind.TEXT),
    )
    kind = next((kind for fits, kind in kinds if fits), Kind.JSON)
    return MetadataKey(row.key, kind, row.width or 0)
