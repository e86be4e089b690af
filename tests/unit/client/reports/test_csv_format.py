"""Results as CSV."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phytobatch.reports.csv_format import neutral, write_csv
from phytobatch.resources import Result

FIRST = ["file", "status", "label", "confidence", "needs_review", "review_reason"]
PLACE = ["latitude", "longitude", "altitude", "heading", "captured_at", "position_source", "position_fault"]
NOWHERE = [""] * len(PLACE)


def result(**overrides: Any) -> Result:  # noqa: ANN401  # any field of a result
    data = {
        "seq": 0,
        "name": "a.jpg",
        "status": "succeeded",
        "label": "rust",
        "confidence": 0.97,
        "probabilities": {"healthy": 0.03, "rust": 0.97},
        "needs_review": False,
        "error": None,
    }
    return Result.from_json(data | overrides)


def failed(**overrides: Any) -> Result:  # noqa: ANN401  # any field of a result
    nothing = {"label": None, "confidence": None, "probabilities": None, "needs_review": None}
    error = {"code": "truncated", "detail": "The file ends too early."}
    return result(**({"status": "failed", "error": error} | nothing | overrides))


def rows(*results: Result) -> list[list[str]]:
    stream = io.StringIO()
    write_csv(results, stream)
    return list(csv.reader(io.StringIO(stream.getvalue(), newline="")))


def test_a_row_has_the_columns_that_are_documented() -> None:
    assert rows(result()) == [
        [*FIRST, "p_healthy", "p_rust", "error", "detail", *PLACE],
        ["a.jpg", "succeeded", "rust", "0.97", "false", "", "0.03", "0.97", "", "", *NOWHERE],
    ]


def test_a_row_says_where_the_image_was_taken_or_why_nobody_knows() -> None:
    place = {"latitude": 46.8426070833333, "longitude": -91.5, "altitude": 198.309, "heading": 45.0, "source": "file"}
    known = rows(result(place=place | {"captured_at": "2014-10-19T18:20:51Z"}))[1]
    missing = rows(result(place={"fault": "no_fix"}))[1]
    assert known[-7:] == ["46.8426070833333", "-91.5", "198.309", "45.0", "2014-10-19T18:20:51+00:00", "file", ""]
    assert missing[-7:] == ["", "", "", "", "", "", "no_fix"]


def test_a_row_says_why_a_person_should_look() -> None:
    row = rows(result(needs_review=True, review_reason="not_a_leaf"))[1]
    assert row[4:6] == ["true", "not_a_leaf"]


def test_failures_before_the_first_success_have_the_same_columns_and_keep_their_place() -> None:
    _, first, second = rows(failed(name="bad.jpg"), result())

    assert first == ["bad.jpg", "failed", "", "", "", "", "", "", "truncated", "The file ends too early.", *NOWHERE]
    assert second[0] == "a.jpg"


def test_without_any_success_there_are_no_probabilities() -> None:
    assert rows(failed())[0] == [*FIRST, "error", "detail", *PLACE]


def test_no_results_give_a_header_alone() -> None:
    assert len(rows()) == 1


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_name_that_a_spreadsheet_would_run_is_made_harmless(start: str) -> None:
    assert rows(result(name=f"{start}cmd.jpg"))[1][0] == f"'{start}cmd.jpg"


def test_ordinary_names_are_left_alone() -> None:
    assert neutral("row 3/a=b.jpg") == "row 3/a=b.jpg"


@given(st.text(st.characters(codec="utf-8")))
def test_any_name_comes_back_from_a_csv_reader(name: str) -> None:
    cell = rows(result(name=name))[1][0]

    assert cell in {name, f"'{name}"}
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
