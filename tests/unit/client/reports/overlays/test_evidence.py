"""Evidence for a label, drawn on a photograph; skipped where Pillow is not installed."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from phytobatch.commands.explain import surest_tiles
from phytobatch.commands.predict import where
from phytobatch.reports import colours
from phytobatch.reports.overlays.evidence import draw_evidence, scale
from phytobatch.reports.overlays.overlay import Look, explained, explained_tiles
from phytobatch.reports.overlays.style import Style
from phytobatch.reports.words import Words
from phytobatch.resources import Prediction, Result
from phytobatch.tiles.answer import TileExplanation
from tests.unit.client.reports.overlays.test_overlay import photograph
from tests.unit.client.tiles.test_answer import MAP

LEFT = [[255, 0]]
GREY = (120, 120, 120)
LOOK = Look(Style.of({"healthy": "sana", "rust": "roya"}), Words("es"))


def at(picture: Any, x: int, y: int) -> tuple[int, ...]:  # noqa: ANN401  # an image of Pillow, which may be absent
    return tuple(picture.getpixel((x, y)))


def test_what_speaks_is_coloured_and_the_rest_is_as_it_was() -> None:
    images = pytest.importorskip("PIL.Image", reason="Pillow is in the extra report")
    plain = images.new("RGB", (80, 40), GREY)
    drawn = draw_evidence(plain, LEFT)
    assert {at(drawn, x, 20) for x in range(70, 80)} == {GREY}
    red, _, blue = at(drawn, 10, 20)
    assert (blue > GREY[2] + 20, red < GREY[0]) == (True, True)
    line = [at(drawn, x, 20)[1] for x in range(35, 42)]
    assert (max(line) > 240, min(line) < 40) == (True, True), "light and dark"
    assert draw_evidence(plain, [[0, 0], [0, 0]]).tobytes() == plain.tobytes()
    part = draw_evidence(plain, [[255]], (20, 10, 40, 30))
    assert (part.getpixel((19, 20)), part.getpixel((30, 31))) == (GREY, GREY)
    assert part.getpixel((30, 20)) != GREY


def test_the_scale_ends_in_the_colour_of_the_most() -> None:
    pytest.importorskip("PIL.Image", reason="Pillow is in the extra report")
    layer = scale((200, 10))
    assert at(layer, 0, 5)[3] < 5
    assert at(layer, 199, 5)[:3] == colours.EVIDENCE[-1]


@pytest.mark.parametrize("turned", [False, True])
def test_a_photograph_is_upright_and_says_its_label_below(tmp_path: Path, turned: bool) -> None:  # noqa: FBT001  # a case
    images = pytest.importorskip("PIL.Image", reason="Pillow is in the extra report")
    path = photograph(tmp_path / "1.jpg", turned=turned)
    result = Result(seq=1, name="1.jpg", status="succeeded", label="rust", confidence=0.9, explanation=LEFT)
    with images.open(io.BytesIO(explained(path, result, LOOK))) as drawn:
        assert (drawn.width, drawn.height > 667) == (1000, True)
        left, right = at(drawn, 200, 300), at(drawn, 980, 300)
    assert left[2] - left[0] > 30
    assert all(abs(a - b) < 12 for a, b in zip(right, GREY))


def test_tiles_are_drawn_where_they_lie(tmp_path: Path) -> None:
    images = pytest.importorskip("PIL.Image", reason="Pillow is in the extra report")
    result = Result(seq=1, name="1.jpg", status="succeeded", label="rust")
    found = [TileExplanation(1, 1, "rust", 300, 0, 100, 100, [[255]])]
    made = explained_tiles(photograph(tmp_path / "1.jpg"), result, MAP, found, LOOK)
    with images.open(io.BytesIO(made)) as drawn:
        scale_of = drawn.width / MAP.width
        inside = at(drawn, round(350 * scale_of), round(50 * scale_of))
        outside = at(drawn, round(350 * scale_of), round(150 * scale_of))
    assert inside[2] - inside[0] > 30
    assert all(abs(a - b) < 12 for a, b in zip(outside, GREY))


def test_the_surest_diseased_tiles_that_count_come_first() -> None:
    sick = [
        (-(MAP.confidence[row][column] or 0), row * len(MAP.x) + column)
        for row in range(len(MAP.y))
        for column in range(len(MAP.x))
        if MAP.labels[row][column] == "rust" and MAP.review[row][column] is None
    ]
    assert surest_tiles(MAP, 10) == [number for _, number in sorted(sick)]
    assert len(surest_tiles(MAP, 1)) == 1


def test_a_terminal_says_where_in_letters() -> None:
    told = {"predicted_class": "rust", "confidence": 90.0, "job_id": "0192", "explanation": [[0, 128], [255, 20]]}
    lines = where(Prediction.from_json(told))
    assert lines[1:3] == ["  .. ++", "  ## .."]
    assert "phytobatch explain 0192" in lines[-1]
    assert "says why" in where(Prediction.from_json({**told, "explanation": None}))[0]
