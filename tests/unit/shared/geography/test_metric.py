"""Metres on the ellipsoid, against published lengths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.geography.metric import (
    Origin,
    corner,
    latitude_of_arc,
    meridian_arc,
    metres_per_degree_east,
    wrapped,
)


@pytest.mark.parametrize(
    ("degrees", "metres"),
    [
        (90, 10_001_965.7293),  # The quarter meridian of WGS 84.
        (45, 4_984_944.3780),
        (1, 110_574.3886),
        (-45, -4_984_944.3780),
    ],
)
def test_the_meridian_has_its_published_length(degrees: float, metres: float) -> None:
    assert meridian_arc(degrees) == pytest.approx(metres, abs=1e-4)


@pytest.mark.parametrize(("latitude", "metres"), [(0, 111_320), (30, 96_486), (45, 78_847), (60, 55_800), (75, 28_902)])
def test_a_degree_of_a_parallel_has_its_published_length(latitude: float, metres: float) -> None:
    assert metres_per_degree_east(latitude) == pytest.approx(metres, abs=1)


@given(st.floats(-89, 89))
def test_the_arc_leads_back_to_its_latitude(latitude: float) -> None:
    assert latitude_of_arc(meridian_arc(latitude)) == pytest.approx(latitude, abs=1e-10)


@given(st.floats(-80, 80), st.floats(-180, 180), st.floats(-5000, 5000), st.floats(-5000, 5000))
def test_metres_lead_back_to_degrees(latitude: float, longitude: float, north: float, east: float) -> None:
    origin = Origin(latitude, longitude)
    there = origin.latitude_at(north)
    assert origin.north(there) == pytest.approx(north, abs=1e-5)
    assert origin.east(origin.longitude_at(east, on=there), on=there) == pytest.approx(east, abs=1e-5)


def test_the_180th_meridian_is_no_edge_of_the_world() -> None:
    taveuni = [(-16.80, 179.99), (-16.81, -179.99), (-16.79, 179.98)]
    assert corner(taveuni) == Origin(-16.81, 179.98)
    assert Origin(-16.81, 179.98).east(-179.99, on=-16.81) == pytest.approx(3197, abs=2)


def test_the_corner_of_one_place_is_that_place() -> None:
    assert corner([(47.99, 7.84)]) == Origin(47.99, 7.84)


@pytest.mark.parametrize(("degrees", "same"), [(190, -170), (-190, 170), (180, -180), (0, 0), (540, -180)])
def test_angles_are_wrapped(degrees: float, same: float) -> None:
    assert wrapped(degrees) == same
