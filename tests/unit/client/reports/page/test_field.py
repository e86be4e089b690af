"""Where the images lie together, and which do not."""

from __future__ import annotations

import pytest

from phytobatch.reports.page.field import FarPoint, Field, Point, Suspicion, field_of, unrolled


def points(*places: tuple[float, float]) -> list[Point]:
    """From (latitude, longitude), named by their number."""
    return [Point(longitude, latitude, str(number), None) for number, (latitude, longitude) in enumerate(places)]


def the_field(*places: tuple[float, float]) -> Field:
    found = field_of(points(*places))
    assert found is not None
    return found


FLIGHT = [(41.6532 + n * 1e-4, 0.6187 + n * 1e-4) for n in range(7)]


@pytest.mark.parametrize(
    ("place", "suspicion"),
    [
        ((0.6187, 41.6532), Suspicion.EXCHANGED),
        ((0, 0), Suspicion.ZERO),
        ((-41.6532, 0.6187), Suspicion.HEMISPHERE),
        ((14.6532, 0.6187), None),
        ((89.9, 0.6187), None),
    ],
)
def test_an_image_far_off_is_found_with_what_may_have_gone_wrong(
    place: tuple[float, float], suspicion: Suspicion | None
) -> None:
    found = the_field(*FLIGHT, place)
    assert [(far.name, far.suspicion) for far in found.far] == [("7", suspicion)]
    assert found.near == points(*FLIGHT)
    assert (found.latitude, found.longitude) == pytest.approx((41.6535, 0.6190), abs=1e-3)


def test_one_of_three_is_found() -> None:
    found = the_field((41.6532, 0.6187), (41.6533, 0.6188), (0.6187, 41.6532))
    assert [far.name for far in found.far] == ["2"]


def test_a_wrong_hemisphere_is_found_beside_the_180th_meridian() -> None:
    found = the_field((-16.8, 179.9998), (-16.8, -179.9998), (-16.8001, 179.99995), (16.8, 179.9998))
    assert [(far.name, far.suspicion) for far in found.far] == [("3", Suspicion.HEMISPHERE)]
    assert abs(found.longitude) > 179.99


@pytest.mark.parametrize(
    "places",
    [
        FLIGHT,
        [(-16.8, 179.9998), (-16.8, -179.9998), (-16.8001, 179.99995)],
        [(41.6532, 0.6187)],
        [(41.65, 0.61), (0.61, 41.65)],  # Nobody can say which of two is wrong.
        [(41 + n / 10, 0.6) for n in range(9)],  # Fields of a cooperative, 11 km from each other.
        [(89.9, longitude) for longitude in (-150.0, -30.0, 90.0)],  # Around the pole.
        [(41.65, 0.61)] * 5 + [(41.75, 0.61)],  # A second field, 11 km away.
    ],
)
def test_a_field_is_no_image_far_off(places: list[tuple[float, float]]) -> None:
    assert the_field(*places).far == []


def test_no_image_is_no_field() -> None:
    assert field_of([]) is None


def test_the_corner_of_what_lies_together_is_that_of_the_near_images() -> None:
    assert the_field(*FLIGHT, (0, 0)).corner == pytest.approx((0.6187, 41.6532))
    taveuni = the_field((-16.8, 179.9998), (-16.8, -179.9998), (-16.8001, 179.99995))
    assert taveuni.corner == pytest.approx((179.9998, -16.8001))
    assert the_field((89.95, 10), (89.95, 20), (-80, 20)).corner is None


@pytest.mark.parametrize(
    ("longitudes", "continuous"),
    [
        ([179.5, -179.5], [179.5, 180.5]),
        ([-0.5, 0.5], [-0.5, 0.5]),
        ([7.0], [7.0]),
        ([180.0, -180.0], [180.0, 180.0]),
    ],
)
def test_longitudes_without_the_break(longitudes: list[float], continuous: list[float]) -> None:
    assert unrolled(longitudes) == continuous


def test_a_distance_is_that_of_the_great_circle() -> None:
    """A quarter of the mean meridian, and one degree of the equator."""
    assert the_field((0, 0)).metres_to(0, 90) == pytest.approx(10_007_557, abs=1)
    assert the_field((0, 179.5)).metres_to(-179.5, 0) == pytest.approx(111_195, abs=1)
    assert isinstance(the_field(*FLIGHT, (0, 0)).far[0], FarPoint)
