"""Corrections as a table (CSV): a line for each image, named by ``seq`` or ``name``, with its label.

A line with a ``tile`` is for that tile of the image (counted from 0, rows first).

A filled-in export is such a table too: if there is a column ``corrected_label``, that is the label, and lines without
one are left out; ``label`` is then the prediction of the classifier.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.contracts.encoded import decoded
from shared.contracts.formulas import unguarded
from shared.contracts.image_names import NO_IMAGE, ImageNames
from shared.corrections.store import BY_LENGTH, LABEL_PATTERN, NOTE_LENGTH, NewCorrection, outside
from shared.db.models import Job
from shared.errors import RowsInvalid
from shared.tiles.stored import read_tile_counts

NAMES = ("name", "file")
LABELS = ("corrected_label", "label")
NOTES = ("correction_note", "note")
LABEL = re.compile(LABEL_PATTERN)
ONCE = frozenset({"seq", "tile", *NAMES, *LABELS, *NOTES})
MAX_FAULTS = 50
WRONG_LABEL = "a label has up to 64 characters of A-Z, a-z, 0-9, `.`, `_`, `-`, and begins with a letter or digit"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table. ``number``: the line of the file where it begins, counted from 1."""

    number: int
    seq: int | None
    name: str | None
    tile: int | None
    label: str
    note: str | None
    corrected_by: str | None


def parse(table: bytes) -> list[Line]:
    """Read the lines that name a label.

    Raises:
        RowsInvalid: it is not such a table, or lines of it are invalid.
    """
    faults: list[tuple[str, str]] = []
    lines: list[Line] = []
    for number, row in _rows(_decoded(table)):
        try:
            line = _line(number, row)
        except ValueError as error:
            faults.append((f"line {number}", str(error)))
            continue
        if line is not None:
            lines.append(line)
    raise_faults(faults)
    return lines


def resolve(session: Session, job: Job, lines: Sequence[Line], *, corrected_by: str | None) -> list[NewCorrection]:
    """Find the images and tiles of the lines; ``corrected_by`` is for lines that name no person.

    Raises:
        RowsInvalid: an image or a tile does not exist, or two lines of one person contradict each other.
    """
    names, by_seq = _images(session, job)
    faults: list[tuple[str, str]] = []
    found: list[tuple[Line, NewCorrection]] = []
    for line in lines:
        try:
            seq = _seq_of(line, names, by_seq)
        except ValueError as error:
            faults.append((f"line {line.number}", str(error)))
            continue
        found.append((line, NewCorrection(seq, line.label, line.note, line.corrected_by or corrected_by, line.tile)))
    faults += _without_a_tile(session, job, found)
    said: dict[tuple[int, int | None, str | None], tuple[Line, NewCorrection]] = {}
    for line, new in found:
        before, earlier = said.setdefault((new.seq, new.tile, new.corrected_by), (line, new))
        if earlier != new:
            what = "image" if new.tile is None else "tile"
            faults.append((f"line {line.number}", f"line {before.number} says something else of the same {what}"))
    raise_faults(sorted(faults, key=lambda fault: int(fault[0].split()[1])))
    return [new for _, new in said.values()]


def _without_a_tile(
    session: Session, job: Job, found: Sequence[tuple[Line, NewCorrection]]
) -> Iterator[tuple[str, str]]:
    """Yield the faults of lines whose image has no such tile."""
    asked = [(line, new.seq, new.tile) for line, new in found if new.tile is not None]
    tiles = read_tile_counts(session, job.id, {seq for _, seq, _ in asked})
    for line, seq, tile in asked:
        if seq not in tiles:
            yield f"line {line.number}", f"image {seq} has no tiles: it was answered as a whole, or has no answer yet"
        elif tile >= tiles[seq]:
            yield f"line {line.number}", outside(seq, tile, tiles[seq])


def raise_faults(faults: Sequence[tuple[str, str]]) -> None:
    """Raise if there are faults.

    Raises:
        RowsInvalid: with the first of them in words.
    """
    if faults:
        where, what = faults[0]
        more = f" (and {len(faults) - 1} more lines; see errors)" if len(faults) > 1 else ""
        raise RowsInvalid(f"nothing was taken: {where}: {what}{more}", faults[:MAX_FAULTS])


def _decoded(table: bytes) -> str:
    try:
        return decoded(table).replace("\0", "")
    except ValueError as error:
        raise RowsInvalid(f"nothing was taken: {error}") from error


def _rows(text_: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line, cells by the name of their column) of each row that is not empty."""
    first = text_.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text_, newline=""), delimiter=max(",;\t", key=first.count))
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        _check_header(header)
        begin = reader.line_num + 1
        for row in reader:
            if any(cell.strip() for cell in row):
                yield begin, dict(zip(header, row, strict=False))
            begin = reader.line_num + 1
    except csv.Error as error:
        raise RowsInvalid(f"line {reader.line_num} is no CSV: {error}") from error


def _check_header(header: Sequence[str]) -> None:
    known = set(header)
    if not known & {"seq", *NAMES} or not known & set(LABELS):
        raise RowsInvalid(
            "the first line must name the columns: `name` or `seq`, and `label`; `tile`, `note` and `corrected_by` if "
            "you like"
        )
    twice = sorted({name for name in header if header.count(name) > 1 and name in ONCE})
    if twice:
        raise RowsInvalid(f"the column {twice[0]!r} comes twice; leave one out")


def _line(number: int, row: Mapping[str, str]) -> Line | None:
    label = _first(row, LABELS).strip()
    if not label and LABELS[0] in row:
        return None
    if not LABEL.match(label):
        raise ValueError(f"{label!r} is no label: {WRONG_LABEL}" if label else "there is no label")
    seq, name = _number(row.get("seq", "").strip(), "an image"), _first(row, NAMES)
    if seq is None and not name:
        raise ValueError("it names no image: give its `name` or its `seq`")
    return Line(
        number=number,
        seq=seq,
        name=name or None,
        tile=_number(row.get("tile", "").strip(), "a tile"),
        label=label,
        note=_short(_first(row, NOTES), "note", NOTE_LENGTH),
        corrected_by=_short(row.get("corrected_by", ""), "corrected_by", BY_LENGTH),
    )


def _first(row: Mapping[str, str], columns: Sequence[str]) -> str:
    """Return the cell of the first of these columns that the table has."""
    return next((row[column] for column in columns if column in row), "")


def _number(cell: str, of: str) -> int | None:
    if not cell:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", cell):
        raise ValueError(f"{cell!r} is no number of {of}")
    return int(cell)


def _short(cell: str, what: str, max_length: int) -> str | None:
    value = unguarded(cell.strip())
    if len(value) > max_length:
        raise ValueError(f"the {what} has {len(value)} characters, at most {max_length} are kept")
    return value or None


def _images(session: Session, job: Job) -> tuple[ImageNames, dict[int, str]]:
    """Read the names of the job's images, and their names by number."""
    rows = session.execute(text("SELECT seq, name FROM images WHERE job_id = :job"), {"job": job.id}).all()
    by_seq = {row.seq: row.name for row in rows}
    return ImageNames(by_seq.items()), by_seq


def _seq_of(line: Line, names: ImageNames, by_seq: Mapping[int, str]) -> int:
    if line.seq is not None and line.seq not in by_seq:
        raise ValueError(f"the job has no image {line.seq}")
    if line.name is None:
        return line.seq if line.seq is not None else -1
    named, reason = names.find(line.name)
    if named is None:
        raise ValueError(f"the job has no image {line.name!r}" if reason == NO_IMAGE else f"{line.name!r}: {reason}")
    if line.seq is not None and line.seq != named:
        raise ValueError(f"image {line.seq} is {by_seq[line.seq]!r}, not {line.name!r}")
    return named
