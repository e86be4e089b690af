"""The table of columns that every format writes.

A new column is three lines here: in :class:`Record`, in :func:`selected` and in :func:`columns_of`.
"""

import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, auto
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, literal_column, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from shared.contracts.explanations import Cells, cells_of
from shared.corrections import standing
from shared.db.models import CorrectionEntry, Image, Result
from shared.geography.place import place_columns

PROBABILITY_DIGITS = 6  # they are stored as 32-bit numbers, which have about seven
DEGREE_DIGITS = 7  # a centimetre
METRE_DIGITS = 3
LONGEST = 2**63 - 1
HEADING_DIGITS = 2


# OFFSET keeps PostgreSQL 15 from merging this into the statement around it, where it no longer sees that the key has
# the rows of one job in order.
Corrected = aliased(
    CorrectionEntry,
    select(CorrectionEntry)
    .where(CorrectionEntry.job_id == bindparam("job"), CorrectionEntry.seq > bindparam("after"), standing.OF_IMAGES)
    .order_by(CorrectionEntry.seq)
    .offset(literal_column("0"))
    .subquery("corrected"),
)


class Record(NamedTuple):
    """One image with its answer, in the order of :func:`selected`.

    ``probabilities`` stand in the order of the classifier's classes; ``classified``: a classifier saw the image.
    """

    seq: int
    name: str
    status: str
    label: str | None = None
    confidence: float | None = None
    needs_review: bool | None = None
    review_reason: str | None = None
    corrected_label: str | None = None
    correction_note: str | None = None
    corrected_by: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None
    heading: float | None = None
    captured_at: datetime | None = None
    position_source: str | None = None
    position_fault: str | None = None
    error_code: str | None = None
    error_detail: str | None = None
    probabilities: list[float] | None = None
    classified: bool = False
    runtime: str | None = None
    metadata: dict[str, Any] | None = None
    finished_at: datetime | None = None
    tile_sums: dict[str, dict[str, int]] | None = None
    explanation: bytes | None = None
    crop: str | None = None
    embedding: bytes | None = None

    @property
    def has_position(self) -> bool:
        """True if it has a place on a map."""
        return self.latitude is not None and self.longitude is not None


def selected() -> tuple[ColumnElement[Any] | InstrumentedAttribute[Any], ...]:
    """Return the columns of a :class:`Record`, in its order."""
    return (
        Result.seq,
        Image.name,
        Result.status,
        Result.label,
        Result.confidence,
        Result.needs_review,
        Result.review_reason,
        Corrected.label.label("corrected_label"),
        Corrected.note,
        Corrected.corrected_by,
        *place_columns(),
        Result.error_code,
        Result.error_detail,
        Result.probabilities,
        Result.classifier_id.is_not(None),
        Result.runtime,
        Image.metadata_,
        Result.finished_at,
        Result.tile_sums,
        Result.explanation,
        Result.crop,
        Result.embedding,
    )


class Kind(Enum):
    """The kind of the values of a column; a missing one is ``None`` in every kind."""

    INTEGER = auto()  # Up to nine digits.
    LONG = auto()  # A whole number of up to 18 digits, of which a 64-bit float keeps fifteen: a barcode, mostly.
    NUMBER = auto()  # One that a 64-bit float keeps.
    FLAG = auto()
    TEXT = auto()
    TIME = auto()  # With its zone.
    JSON = auto()  # Anything that JSON has; text where a format has no such thing.
    CELLS = auto()  # Rows of numbers, which formats for people leave out.
    BYTES = auto()  # For programs; formats for people and maps leave them out.


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    ``read`` takes the value from a row: a :class:`Record`, or a tile (``shared.exports.tile_rows``). ``digits``:
    decimals of a number that mean something. ``width``: bytes of the longest text as UTF-8, where known.
    """

    name: str
    kind: Kind
    read: Callable[[Any], Any]
    digits: int | None = None
    width: int | None = None


@dataclass(frozen=True, slots=True)
class MetadataKey:
    """A key of the images' metadata: the kind of its values, and the bytes of the longest as text."""

    name: str
    kind: Kind
    width: int


@dataclass(frozen=True, slots=True)
class Widths:
    """Bytes of the longest text in those columns that clients fill."""

    name: int = 0
    error_detail: int = 0
    note: int = 0
    corrected_by: int = 0


@dataclass(frozen=True, slots=True)
class Extras:
    """The columns that the answers of some jobs have.

    Attributes:
        tiles: the job cuts its photographs: sums of their tiles.
        crops: the classifier names crops, of photographs that are answered as wholes.
        embeddings: it gives embeddings, of the same.
        explanations: the job asks for them.
    """

    tiles: bool = False
    crops: bool = False
    embeddings: bool = False
    explanations: bool = False


NO_EXTRAS = Extras()


def columns_of(
    labels: Sequence[str],
    classifier: tuple[str, str] | None,
    keys: Sequence[MetadataKey],
    *,
    has_more_keys: bool,
    extras: Extras = NO_EXTRAS,
    widths: Widths,
) -> tuple[Column, ...]:
    """List every column of an export.

    Args:
        labels: the class ids of the classifier, in the order of its outputs.
        classifier: name and version.
        keys: those keys of the metadata that get a column of their own.
        has_more_keys: there are others: one more column has them together.
        extras: what these answers have.
        widths: of texts.
    """
    name, version = classifier or ("", "")
    columns = (
        Column("seq", Kind.INTEGER, lambda r: r.seq),
        Column("name", Kind.TEXT, lambda r: r.name, width=widths.name),
        Column("status", Kind.TEXT, lambda r: r.status, width=16),
        Column("label", Kind.TEXT, lambda r: r.label, width=64),
        Column("confidence", Kind.NUMBER, _rounded("confidence", PROBABILITY_DIGITS), digits=PROBABILITY_DIGITS),
        Column("needs_review", Kind.FLAG, lambda r: r.needs_review),
        Column("review_reason", Kind.TEXT, lambda r: r.review_reason, width=32),
        *([Column("crop", Kind.TEXT, lambda r: r.crop, width=64)] if extras.crops else []),
        Column("corrected_label", Kind.TEXT, lambda r: r.corrected_label, width=64),
        Column("correction_note", Kind.TEXT, lambda r: r.correction_note, width=widths.note),
        Column("corrected_by", Kind.TEXT, lambda r: r.corrected_by, width=widths.corrected_by),
        Column("latitude", Kind.NUMBER, _rounded("latitude", DEGREE_DIGITS), digits=DEGREE_DIGITS),
        Column("longitude", Kind.NUMBER, _rounded("longitude", DEGREE_DIGITS), digits=DEGREE_DIGITS),
        Column("altitude", Kind.NUMBER, _rounded("altitude", METRE_DIGITS), digits=METRE_DIGITS),
        Column("heading", Kind.NUMBER, _rounded("heading", HEADING_DIGITS), digits=HEADING_DIGITS),
        Column("captured_at", Kind.TIME, lambda r: r.captured_at),
        Column("position_source", Kind.TEXT, lambda r: r.position_source, width=16),
        Column("position_fault", Kind.TEXT, lambda r: r.position_fault, width=32),
        Column("error_code", Kind.TEXT, lambda r: r.error_code, width=32),
        Column("error_detail", Kind.TEXT, lambda r: r.error_detail, width=widths.error_detail),
        *(_probability(label, number) for number, label in enumerate(labels)),
        *(_sums_of_tiles(labels) if extras.tiles else ()),
        *([Column("embedding", Kind.BYTES, lambda r: r.embedding)] if extras.embeddings else []),
        *([Column("explanation", Kind.CELLS, _explanation)] if extras.explanations else []),
        Column("classifier", Kind.TEXT, lambda r: name if r.classified else None, width=64),
        Column("classifier_version", Kind.TEXT, lambda r: version if r.classified else None, width=32),
        Column("runtime", Kind.TEXT, lambda r: r.runtime, width=64),
        *(_metadata(key) for key in keys),
        *([_other_metadata(frozenset(key.name for key in keys))] if has_more_keys else []),
        Column("finished_at", Kind.TIME, lambda r: r.finished_at),
    )
    return tuple(_distinct(columns))


def _distinct(columns: Iterable[Column]) -> Iterator[Column]:
    """Write ``_2`` behind the name of a column that some reader would take for that of one before it.

    SQL does not see the case of a name (`Row` and `row`), file systems and editors compose what was decomposed, and XML
    has no control characters.
    """
    taken: set[str] = set()
    for column in columns:
        name, number = column.name, 2
        while _as_readers_see_it(name) in taken:
            name, number = f"{column.name}_{number}", number + 1
        taken.add(_as_readers_see_it(name))
        yield column if name == column.name else replace(column, name=name)


def _as_readers_see_it(name: str) -> str:
    visible = "".join(character if character.isprintable() else " " for character in name)
    return unicodedata.normalize("NFKC", visible).casefold().strip()


def portable(value: object) -> object:
    """Make text of the whole numbers of a JSON value that have more than 64 bits.

    Readers of tables make floats of them, or give up (RFC 8259, section 6, and RFC 7493, section 2.2).
    """
    if isinstance(value, dict):
        return {key: portable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [portable(inner) for inner in value]
    if isinstance(value, int) and not -LONGEST <= value <= LONGEST:
        return str(value)
    return value


def text_of(value: object) -> str:
    """Write a JSON value as text: a string as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _rounded(field: str, digits: int) -> Callable[[Record], float | None]:
    position = Record._fields.index(field)

    def read(record: Record) -> float | None:
        value: Any = record[position]
        return None if value is None else round(value, digits)

    return read


def _probability(label: str, number: int) -> Column:
    def read(record: Record) -> float | None:
        found = record.probabilities
        return None if found is None or number >= len(found) else round(found[number], PROBABILITY_DIGITS)

    return Column(f"p_{label}", Kind.NUMBER, read, digits=PROBABILITY_DIGITS)


def _sums_of_tiles(labels: Sequence[str]) -> Iterator[Column]:
    """List the sums of a photograph's map: all tiles, those that count, and those of each class."""
    yield Column("tiles", Kind.INTEGER, _of_sums(lambda sums: sum(sum(kind.values()) for kind in sums.values())))
    yield Column("tiles_counted", Kind.INTEGER, _of_sums(lambda sums: sum(sums["labels"].values())))
    for label in labels:
        yield Column(f"tiles_{label}", Kind.INTEGER, _of_sums(partial(_tiles_with, label)))


def _of_sums(read: Callable[[dict[str, dict[str, int]]], int]) -> Callable[[Record], int | None]:
    return lambda record: None if record.tile_sums is None else read(record.tile_sums)


def _tiles_with(label: str, sums: dict[str, dict[str, int]]) -> int:
    return sums["labels"].get(label, 0)


def _explanation(record: Record) -> Cells | None:
    return None if record.explanation is None else cells_of(record.explanation)


def _metadata(key: MetadataKey) -> Column:
    return Column(f"meta_{key.name}", key.kind, partial(_value_of, key.name), width=key.width)


def _value_of(key: str, record: Record) -> Any:  # noqa: ANN401  # a JSON value
    return None if record.metadata is None else record.metadata.get(key)


def _other_metadata(own_column: frozenset[str]) -> Column:
    def read(record: Record) -> dict[str, Any] | None:
        return {key: value for key, value in (record.metadata or {}).items() if key not in own_column} or None

    return Column("metadata_more", Kind.JSON, read)
