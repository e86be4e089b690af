"""The end of a job for people: shares of tiles, their intervals, and what is undecided."""

from __future__ import annotations

from typing import Any

import pytest

from phytobatch.resources import Counts, Job
from phytobatch.summaries.resources import Shares
from phytobatch.terminal.output import Output
from phytobatch.terminal.summary import print_summary

TILES = {"total": 57, "counted": 40, "photographs": 3, "diseased": 8, "review": {}, "skipped": {}, "beside": 12}
WHOLE: dict[str, Any] = {
    "images": 6,
    "counted": 3,
    "labels": [
        {"label": "healthy", "images": 2, "share": 0.8, "interval": [0.18, 0.99], "tiles": 32},
        {"label": "rust", "images": 1, "share": 0.2, "interval": None, "tiles": 8},
    ],
    "diseased": 1,
    "diseased_share": 0.2,
    "diseased_interval": [0.01, 0.82],
    "needs_review": 2,
    "undecided": 2,
    "review": {"too_coarse": 1, "no_leaf": 1},
    "not_classified": 1,
    "failures": {"truncated": 1},
    "corrected": 0,
    "tiles": TILES,
}
WARNED = Job(
    "0192",
    "completed",
    Counts(total=6, succeeded=5, failed=1),
    tiling="auto",
    warnings=({"code": "too_coarse", "detail": "1 of 6 photographs is too coarse."},),
)


def printed(capsys: pytest.CaptureFixture[str], shares: dict[str, Any]) -> tuple[str, str]:
    print_summary(Output(), WARNED, Shares.from_json(shares), [])
    captured = capsys.readouterr()
    return captured.out, captured.err


def test_tiles_intervals_and_undecided_photographs_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = printed(capsys, WHOLE)
    assert err == "1 of 6 photographs is too coarse.\n"
    rows = [line.split() for line in out.splitlines()]
    assert ["healthy", "2", "32", "80.0%", "18.0", "to", "99.0", "%"] in rows
    assert ["rust", "1", "8", "20.0%"] in rows
    assert "2 photographs undecided: too few of their tiles could be read; not healthy." in out
    assert "from too far away: a pixel is too large for a symptom" in out


def test_a_job_of_nothing_but_undecided_photographs_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    nothing = {**WHOLE, "counted": 0, "labels": [], "diseased": 0, "diseased_share": None, "undecided": 5}
    out, _ = printed(capsys, nothing)
    assert "No photograph could be decided: nothing is known of these plants, also not that they are healthy." in out
