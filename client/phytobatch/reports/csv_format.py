"""Results as CSV (RFC 4180, UTF-8): one row per image.

Columns: ``file, status, label, confidence, needs_review, review_reason, p_<class>…, error, detail, latitude, longitude,
altitude, heading, captured_at, position_source, position_fault``. Confidence and probabilities are 0 to 1; where an
image was taken is in degrees (WGS 84), metres, degrees clockwise from true north, and UTC.

A text that a spreadsheet would take for a formula, because it begins with ``=``, ``+``, ``-``, ``@``, a tab or a
carriage return, gets an apostrophe in front (OWASP, "CSV Injection"): a file may be called ``=HYPERLINK(…).jpg``.
"""

import csv
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from phytobatch.resources import Place, Result

_FIRST = ("file", "status", "label", "confidence", "needs_review", "review_reason")
_PLACE = ("latitude", "longitude", "altitude", "heading", "captured_at", "position_source", "position_fault")
_LAST = ("error", "detail", *_PLACE)
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_csv(results: Iterable[Result], stream: TextIO) -> None:
    """Write a header and a row for each result, as they come."""
    rows = iter(results)
    held, classes = _until_classes_are_known(rows)
    writer = csv.writer(stream, lineterminator="\r\n")
    names = [f"p_{name}" for name in classes]
    writer.writerow([*_FIRST, *names, *_LAST])
    for result in itertools.chain(held, rows):
        writer.writerow(row_of(result, classes))


def row_of(result: Result, classes: Sequence[str]) -> list[str]:
    """The cells of one image, with the probabilities of ``classes`` in their order; unknown cells are empty."""
    probabilities = result.probabilities or {}
    return [
        neutral(result.name),
        result.status,
        neutral(result.label or ""),
        _number(result.confidence),
        "" if result.needs_review is None else str(result.needs_review).lower(),
        neutral(result.review_reason or ""),
        *(_number(probabilities.get(name)) for name in classes),
        neutral(result.error_code or ""),
        neutral(result.error_detail or ""),
        *_place(result.place),
    ]


def _place(place: Place) -> list[str]:
    numbers = (place.latitude, place.longitude, place.altitude, place.heading)
    taken = place.captured_at
    return [
        *("" if number is None else repr(number) for number in numbers),
        "" if taken is None else taken.isoformat(),
        place.source or "",
        place.fault or "",
    ]


def neutral(text: str) -> str:
    """The text, with an apostrophe in front where a spreadsheet would run it as a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _until_classes_are_known(rows: Iterator[Result]) -> tuple[list[Result], list[str]]:
    # The header needs the classes, and only a result that succeeded names them; the failures before it are few.
    held: list[Result] = []
    for result in rows:
        held.append(result)
        if result.probabilities:
            return held, list(result.probabilities)
    return held, []


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
