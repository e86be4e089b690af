"""The types of options."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta, timezone

import pytest

from phytobatch.commands.options import moment_ago


@pytest.mark.parametrize(("text", "hours"), [("90m", 1.5), ("6h", 6), ("2d", 48), ("0s", 0)])
def test_a_moment_is_so_long_ago(text: str, hours: float) -> None:
    assert abs(datetime.now(timezone.utc) - timedelta(hours=hours) - moment_ago(text)) < timedelta(minutes=1)


def test_a_moment_is_a_time_with_its_zone_or_in_the_zone_of_this_machine() -> None:
    assert moment_ago("2026-06-01T08:00:00Z") == datetime(2026, 6, 1, 8, tzinfo=timezone.utc)
    assert moment_ago("2026-06-01 08:00").tzinfo is not None


@pytest.mark.parametrize("text", ["", "yesterday", "6", "h", "-6h", "6 h", "1e3d"])
def test_anything_else_is_no_moment(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        moment_ago(text)
