import pytest

from shared.contracts.states import ImageStatus
from shared.jobs.results import NewResult
from tests.unit.inference.geography.pictures import Field, dji, doubles, exif_block, fractions, gps, jpeg, text
from worker.inference.geography import read_place

DIRECTION = fractions((905, 10))


@pytest.mark.parametrize(
    ("gps_fields", "xmp", "degrees"),
    [
        ({"DIRECTION": DIRECTION, "DIRECTION_REF": text("T")}, {}, 90.5),
        ({"DIRECTION": DIRECTION, "DIRECTION_REF": text("M")}, {}, None),
        ({"DIRECTION": DIRECTION}, {}, None),
        ({"DIRECTION": fractions((361, 1)), "DIRECTION_REF": text("T")}, {}, None),
        ({"DIRECTION": fractions((0, 0)), "DIRECTION_REF": text("T")}, {}, None),
        ({"DIRECTION": fractions((360, 1)), "DIRECTION_REF": text("T")}, {}, 0),
        ({}, {"GimbalYawDegree": "-90.00", "FlightYawDegree": "+46.00"}, 270),
        ({}, {"FlightYawDegree": "+46.00"}, 46),
        ({}, {"GimbalYawDegree": "999", "FlightYawDegree": "-180.0"}, 180),
        ({"DIRECTION": DIRECTION, "DIRECTION_REF": text("T")}, {"GimbalYawDegree": "+10"}, 10),
        ({}, {}, None),
    ],
)
def test_heading_is_clockwise_from_true_north(
    gps_fields: dict[str, Field], xmp: dict[str, str], degrees: float | None
) -> None:
    assert read_place(jpeg(exif_block(gps(**gps_fields)), dji(**xmp))).heading == degrees


def test_a_heading_below_what_a_column_holds_is_north() -> None:
    fields = gps(DIRECTION=doubles(1e-50), DIRECTION_REF=text("T"))
    heading = read_place(jpeg(exif_block(fields))).heading
    assert heading is not None
    assert NewResult(seq=1, status=ImageStatus.SUCCEEDED, heading=heading).heading == 0.0
