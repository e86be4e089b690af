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
    span_of,
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


@pytest.mark.parametrize(
    ("longitudes", "west", "east"),
    [
        ([179.9998, -179.9998, 179.99995], 179.9998, -179.9998),
        ([-0.5, 0.5], -0.5, 0.5),
        ([7.84], 7.84, 7.84),
        ([-90, 90], -90, 90),  # Both stretches are as long; the one that does not cross is easier to read.
        ([-170, 10, 100], 10, -170),
        ([180, -180], 180, -180),
    ],
)
def test_the_shortest_stretch_of_longitudes(longitudes: list[float], west: float, east: float) -> None:
    assert span_of(longitudes) == (west, east)


@given(st.lists(st.floats(-180, 180), min_size=1, max_size=30))
def test_every_longitude_lies_in_its_stretch(longitudes: list[float]) -> None:
    west, east = span_of(longitudes)
    for longitude in longitudes:
        assert west <= longitude <= east if west <= east else longitude >= west or longitude <= east


def test_the_corner_of_one_place_is_that_place() -> None:
    assert corner([(47.99, 7.84)]) == Origin(47.99, 7.84)


@pytest.mark.parametrize(("degrees", "same"), [(190, -170), (-190, 170), (180, -180), (0, 0), (540, -180)])
def test_angles_are_wrapped(degrees: float, same: float) -> None:
    assert wrapped(degrees) == same
