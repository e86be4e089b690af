"""The page of a job: what it says, what it never says, and that it needs nobody."""

from __future__ import annotations

import io
import re
from datetime import datetime, timezone
from html.parser import HTMLParser
from typing import Any

import pytest

from phytobatch.reports import colours
from phytobatch.reports.page.content import Content, Shown, round_edge
from phytobatch.reports.page.field import Point, field_of
from phytobatch.reports.page.html import write
from phytobatch.reports.page.thumbnails import EDGE, thumbnail, thumbnails
from phytobatch.reports.words import LANGUAGES, Words
from phytobatch.resources import Job, TileSums
from phytobatch.summaries.resources import Grid, Summary

HOSTILE = '<script>alert("1")</script>\u202e&'
MADE_AT = datetime(2026, 5, 15, 8, 30, tzinfo=timezone.utc)


def shares(healthy: int, rust: int, **more: object) -> dict[str, Any]:
    counted = healthy + rust
    return {
        "images": counted + 3,
        "counted": counted,
        "labels": [
            {"label": label, "images": n, "share": n / counted if counted else 0}
            for label, n in (("healthy", healthy), ("rust", rust))
        ],
        "diseased": rust,
        "diseased_share": rust / counted if counted else None,
        "diseased_interval": [0.133, 0.289] if counted else None,
        "needs_review": 2,
        "review": {"blurred": 2},
        "not_classified": 1,
        "failures": {"truncated": 1},
        "corrected": 0,
        **more,
    }


def cell(column: int, row: int, healthy: int, rust: int) -> dict[str, Any]:
    x, y, e = 7.84 + column * 1e-4, 47.99 + row * 1e-4, 1e-4
    ring = [[x, y], [x + e, y], [x + e, y + e], [x, y + e], [x, y]]
    return {
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"column": column, "row": row, **shares(healthy, rust)},
    }


def content(**overrides: object) -> Content:
    summary = {
        "job_id": "0192",
        "state": "completed",
        "healthy": ["healthy"],
        "overall": shares(80, 20),
        "groups": {"row": [{"value": "1", **shares(30, 1)}, {"value": HOSTILE, **shares(0, 0)}]},
        "time_zone": "UTC",
        "days": [{"day": "2026-05-14", **shares(50, 10)}, {"day": "2026-05-15", **shares(30, 10)}],
        "positions": {"known": 100, "sources": {}, "missing": {"no_fix": 3}},
        "uncertain": [],
    }
    grid = {"edge": 10.0, "features": [cell(0, 0, 3, 1), cell(1, 0, 0, 0)], "without_position": 3}
    made = Content(
        job=Job.from_json({"id": "0192", "state": "completed", "name": HOSTILE}),
        summary=Summary.from_json(summary),
        grid=Grid.from_json(grid),
        points=[Point(7.84003, 47.99002, HOSTILE, "rust"), Point(7.84006, 47.99004, "2.jpg", None)],
        worst=[Shown(7, HOSTILE, "rust", 0.97)],
        uncertain=[Shown(9, "9.jpg", "healthy", 0.41, "low_confidence")],
        names={"rust": {"en": "rust", "es": "roya"}},
    )
    for name, value in overrides.items():
        setattr(made, name, value)
    return made


def page(language: str = "en", **overrides: object) -> str:
    return write(content(**overrides), Words(language), made_at=MADE_AT)


class Tags(HTMLParser):
    VOID = frozenset({"meta", "img", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            assert tag in {"path", "circle", "rect", "polygon"}, (tag, self.open)
            return
        self.open.pop()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)


def test_it_says_the_share_its_interval_and_the_number_behind_it() -> None:
    said = page()
    assert "20.0 %" in said
    assert "of 100 counted images" in said
    assert "95 % interval 13.3 % to 28.9 %" in said
    assert "2026-05-14 to 2026-05-15" in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_of_users_are_text_and_nothing_else(language: str) -> None:
    said = page(language)
    assert "<script" not in said
    assert "&lt;script&gt;" in said
    tags = Tags()
    tags.feed(said)
    assert tags.open == []
    assert "script" not in tags.seen


def test_it_loads_nothing() -> None:
    said = page(pictures={7: b"\xff\xd8"})
    assert not re.findall(r"(?:src|href)=\"(?!data:)", said)
    assert "url(" not in said
    assert "default-src 'none'" in said


def test_spanish_is_spanish() -> None:
    said = page("es")
    assert "Informe de sanidad vegetal" in said
    assert "roya 97,0 %" in said
    assert "20,0 %" in said
    assert "images" not in re.sub(r"<style>.*?</style>", "", said, flags=re.DOTALL)


def test_a_square_without_a_counted_image_has_no_share() -> None:
    assert page().count('class="blank"') == 1


def test_a_job_without_positions_says_so() -> None:
    assert "so there is no map" in page(grid=None, points=[])


def test_a_job_that_runs_says_so() -> None:
    running = content()
    running.summary = Summary.from_json({**_raw(running), "state": "running"})
    assert "still running" in write(running, Words("en"), made_at=MADE_AT)


def _raw(made: Content) -> dict[str, Any]:
    return dict(made.summary.raw)


def test_an_unknown_reason_is_shown_as_it_is() -> None:
    made = content(uncertain=[Shown(9, "9.jpg", "healthy", 0.4, "a_reason_of_tomorrow")])
    assert "a_reason_of_tomorrow" in write(made, Words("en"), made_at=MADE_AT)


SUMS = TileSums.of({"rust": 41, "healthy": 79}, {"not_a_leaf": 60}, {})
TILED = {
    "total": 1000, "counted": 480, "photographs": 40, "diseased": 60, "review": {}, "skipped": {}, "beside": 300,
}  # fmt: skip


def test_a_job_with_tiles_counts_tiles_and_says_what_is_undecided() -> None:
    made = content(
        job=Job.from_json({"id": "0192", "state": "completed", "tiling": "auto"}),
        worst=[Shown(7, "7.jpg", "rust", 0.97, tiles=SUMS)],
    )
    overall = shares(30, 10, undecided=2, diseased_share=0.125, diseased_interval=[0.04, 0.3], tiles=TILED)
    made.summary = Summary.from_json({**_raw(made), "overall": overall})
    said = write(made, Words("en"), made_at=MADE_AT)
    assert "of 480 tiles in 40 photographs; 95 % interval 4.0 % to 30.0 %" in said
    assert "rust 34.2 % of 120 tiles" in said
    assert "<strong>2</strong><span>undecided" in said
    assert "Shares are parts of the tiles that count" in said


def test_colours_keep_their_label_whatever_the_order() -> None:
    assert colours.of_labels(["rust", "mildew"], ["ok"]) == colours.of_labels(["mildew", "rust", "ok"], ["ok"])
    assert colours.of_share(0) != colours.of_share(0.5) != colours.of_share(1)
    assert colours.of_share(2) == colours.of_share(1)


@pytest.mark.parametrize(("metres", "edge"), [(200, 10.0), (59, 2.0), (0, 1.0), (2900, 100.0)])
def test_the_edge_is_a_round_number_that_fits_the_field(metres: float, edge: float) -> None:
    far = 47.99 + metres / 111_320
    assert round_edge([Point(7.84, 47.99, "a", None), Point(7.84, far, "b", None)]) == pytest.approx(edge)
    assert round_edge([]) is None


def test_the_edge_knows_that_179_and_minus_179_are_neighbours_and_is_never_longer_than_the_server_draws() -> None:
    taveuni = [Point(179.9998, -16.8, "a", None), Point(-179.9998, -16.8, "b", None)]
    assert round_edge(taveuni) == 2.0
    assert round_edge([Point(-100, 0, "a", None), Point(100, 0, "b", None)]) == 100_000


def squares_over_180() -> list[dict[str, Any]]:
    """Three squares in a row, the second of them cut in two by the meridian as the server does it."""

    def ring(west: float, east: float) -> list[list[list[float]]]:
        return [[[west, -16.8], [east, -16.8], [east, -16.7999], [west, -16.7999], [west, -16.8]]]

    first, last = cell(0, 0, 3, 1), cell(2, 0, 1, 1)
    first["geometry"]["coordinates"], last["geometry"]["coordinates"] = ring(179.9998, 179.9999), ring(-180, -179.9999)
    last["properties"]["column"] = 1
    cut = cell(1, 0, 2, 0)
    cut["geometry"] = {"type": "MultiPolygon", "coordinates": [ring(179.9999, 180), ring(-180, -179.9999)]}
    return [first, cut, last]


def test_a_map_over_the_180th_meridian_is_as_small_as_its_field() -> None:
    points = [Point(179.99985, -16.79995, "a", None), Point(-179.99995, -16.79995, "b", None)]
    grid = Grid.from_json({"edge": 10.0, "features": squares_over_180(), "without_position": 0})
    assert grid.cells[1].ring[0] == (179.9999, -16.8)
    assert grid.cells[1].ring[2] == pytest.approx((180.0001, -16.7999))
    said = page(grid=grid, points=points, place=field_of(points))
    assert "5 m</text>" in said
    assert numbers_of(said, "cx") == sorted(numbers_of(said, "cx"))
    assert max(numbers_of(said, "cx")) - min(numbers_of(said, "cx")) > 200


def numbers_of(page: str, attribute: str) -> list[float]:
    return [float(number) for number in re.findall(rf'{attribute}="([-0-9.]+)"', page)]


def test_an_image_far_off_is_named_and_does_not_rule_the_map() -> None:
    near = [Point(7.84003, 47.99002, "1.jpg", None), Point(7.84006, 47.99004, "2.jpg", None)]
    away = Point(47.99, 7.84, HOSTILE, None)
    far_cell = cell(5, 5, 1, 0)
    far_cell["geometry"]["coordinates"] = [[[48, 7.8], [48.1, 7.8], [48.1, 7.9], [48, 7.9], [48, 7.8]]]
    grid = Grid.from_json({"edge": 10.0, "features": [cell(0, 0, 3, 1), far_cell], "without_position": 0})
    place = field_of([*near, away])
    said = page(grid=grid, points=near, place=place)
    assert said.count("<polygon") == 1
    assert "latitude and longitude seem exchanged" in said
    assert "5,843 km" in said
    assert "<script" not in said
    assert "parecen intercambiadas" in page("es", grid=grid, points=near, place=place)
    assert "far from the others" not in page()


def picture(size: tuple[int, int], orientation: int = 1, image_format: str = "JPEG") -> bytes:
    pytest.importorskip("PIL", reason="Pillow is in the extra report")
    from PIL import Image

    image, exif, out = Image.new("RGB", size, "green"), Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    image.save(out, image_format, exif=exif)
    return out.getvalue()


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_thumbnails_are_small_and_upright(image_format: str) -> None:
    small_file = thumbnail(picture((2000, 1000), 6, image_format))
    from PIL import Image

    with Image.open(io.BytesIO(small_file)) as small:
        assert small.size == (EDGE // 2, EDGE)


def test_a_picture_that_cannot_be_had_is_left_out() -> None:
    data = {1: picture((50, 50)), 2: b"no picture"}
    assert set(thumbnails([1, 2, 1], data.__getitem__)) == {1}
