"""A container with a quota counts its quota, not the processors of its node."""

from pathlib import Path

import pytest

from shared import processors as module
from shared.processors import processors, quota


@pytest.mark.parametrize(
    ("text", "expected"),
    [("150000 100000\n", 1.5), ("max 100000\n", None), ("nonsense", None), ("100 0", None)],
)
def test_version_2(tmp_path: Path, text: str, expected: float | None) -> None:
    (tmp_path / "cpu.max").write_text(text)
    nowhere = (tmp_path / "quota", tmp_path / "period")
    assert quota(tmp_path / "cpu.max", nowhere) == expected


@pytest.mark.parametrize(("text", "expected"), [("200000", 2.0), ("-1", None)])
def test_version_1(tmp_path: Path, text: str, expected: float | None) -> None:
    (tmp_path / "quota").write_text(text)
    (tmp_path / "period").write_text("100000")
    assert quota(tmp_path / "cpu.max", (tmp_path / "quota", tmp_path / "period")) == expected


@pytest.mark.parametrize(("text", "expected"), [("20000 100000", 1), ("6400000 100000", None), ("max 100000", None)])
def test_never_more_than_there_are_and_never_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, expected: int | None
) -> None:
    (tmp_path / "cpu.max").write_text("max 100000")
    monkeypatch.setattr(module, "QUOTA_V2", tmp_path / "cpu.max")
    unlimited = processors()
    (tmp_path / "cpu.max").write_text(text)
    assert processors() == (unlimited if expected is None else expected)
