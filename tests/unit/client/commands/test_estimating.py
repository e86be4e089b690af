"""The speed of a job whose photographs were skipped says nothing of one that is read."""

from __future__ import annotations

from typing import Any

import pytest

from phytobatch.commands.estimating import _has_skipped
from phytobatch.resources import Job

COARSE = {"code": "too_coarse", "detail": "…"}
UNDECIDED = {"code": "nothing_decided", "detail": "…"}


@pytest.mark.parametrize(
    ("fields", "skipped"),
    [
        ({"on_coarse": "skip", "warnings": [UNDECIDED, COARSE]}, True),
        ({"on_coarse": "answer", "warnings": [COARSE]}, False),
        ({"on_coarse": "skip", "warnings": [UNDECIDED]}, False),  # Read, and nothing was found in it.
        ({"on_coarse": "skip", "warnings": []}, False),
        ({}, False),
    ],
)
def test_only_jobs_that_skipped_photographs_are_passed_over(fields: dict[str, Any], skipped: bool) -> None:  # noqa: FBT001  # a parameter of pytest
    assert _has_skipped(Job.from_json({"id": "1", "state": "completed", **fields})) is skipped
