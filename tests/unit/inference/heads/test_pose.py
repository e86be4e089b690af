"""The pose of a photograph, as makers of cameras write it."""

from worker.inference.geography.exif import Value, read_exif
from worker.inference.geography.metadata import Metadata
from worker.inference.geography.xmp import read_xmp
from worker.inference.heads.pose import pose_of

DJI = """<x:xmpmeta xmlns:drone-dji="http://www.dji.com/drone-dji/1.0/"><rdf:Description
 drone-dji:AltitudeType="RtkAlt" drone-dji:RelativeAltitude="+12.017" drone-dji:AbsoluteAltitude="+61.9"
 drone-dji:GimbalRollDegree="+180.00" drone-dji:GimbalYawDegree="-92.30" drone-dji:GimbalPitchDegree="-90.00"
 drone-dji:FlightRollDegree="+1.20" drone-dji:FlightYawDegree="-91.00" drone-dji:FlightPitchDegree="-3.40"
 drone-dji:GpsLatitude="41.6532" drone-dji:GpsLongitude="0.6187" drone-dji:CalibratedFocalLength="3725.151611"
 drone-dji:CalibratedOpticalCenterX="2640.000000" drone-dji:CalibratedOpticalCenterY="1978.000000"
 drone-dji:RtkFlag="50" drone-dji:RtkStdLon="0.01234" drone-dji:RtkStdLat="0.01101" drone-dji:RtkStdHgt="0.02345"
 drone-dji:LRFTargetDistance="12.4" drone-dji:UTCAtExposure="2026-05-14T08:30:00.5"/></x:xmpmeta>"""


def metadata(packet: str, **exif: object) -> Metadata:
    return Metadata(packets=[read_xmp(packet.encode())], is_empty=False, **exif)  # type: ignore[arg-type]


def test_dji() -> None:
    assert pose_of(metadata(DJI)).to_json() == {
        "latitude": 41.6532,
        "longitude": 0.6187,
        "altitude_m": 61.9,
        "altitude_type": "RtkAlt",
        "heading_degrees": 267.7,
        "captured_at": "2026-05-14T08:30:00.500000Z",
        "relative_altitude_m": 12.017,
        "gimbal_yaw_degrees": -92.3,
        "gimbal_pitch_degrees": -90.0,
        "gimbal_roll_degrees": 180.0,
        "flight_yaw_degrees": -91.0,
        "flight_pitch_degrees": -3.4,
        "flight_roll_degrees": 1.2,
        "focal_length_px": 3725.151611,
        "optical_center_x_px": 2640.0,
        "optical_center_y_px": 1978.0,
        "rtk_flag": 50,
        "rtk_deviation_m": 0.01234,
        "rtk_height_deviation_m": 0.02345,
        "target_distance_m": 12.4,
    }


def camera(pitch: str, make: str) -> str:
    return (
        f'<x:xmpmeta xmlns:Camera="http://pix4d.com/camera/1.0" xmlns:tiff="http://ns.adobe.com/tiff/1.0/">'
        f"<Camera:Yaw>91.5</Camera:Yaw><Camera:Pitch>{pitch}</Camera:Pitch><Camera:Roll>-1.5</Camera:Roll>"
        f"<Camera:AboveGroundAltitude>1234/100</Camera:AboveGroundAltitude><tiff:Make>{make}</tiff:Make>"
        "<Camera:GPSXYAccuracy>0.03</Camera:GPSXYAccuracy><Camera:GPSZAccuracy>0.05</Camera:GPSZAccuracy></x:xmpmeta>"
    )


def test_pix4d_counts_the_pitch_from_straight_down() -> None:
    pose = pose_of(metadata(camera("2.5", "senseFly")))
    assert (pose.gimbal_yaw_degrees, pose.gimbal_pitch_degrees, pose.gimbal_roll_degrees) == (91.5, -87.5, -1.5)
    assert (pose.relative_altitude_m, pose.make, pose.rtk_deviation_m) == (12.34, "senseFly", 0.03)


def test_parrot_and_autel_count_it_from_the_horizon() -> None:
    for make in ("Parrot", "Autel Robotics"):
        assert pose_of(metadata(camera("-88.0", make))).gimbal_pitch_degrees == -88.0


def test_what_cannot_be_true_is_unknown() -> None:
    packet = DJI.replace("+12.017", "+99999").replace("3725.151611", "0").replace('"-90.00"', '"-900"')
    pose = pose_of(metadata(packet.replace('"50"', '"900"')))
    assert (pose.relative_altitude_m, pose.focal_length_px, pose.gimbal_pitch_degrees) == (None, None, None)
    assert pose.rtk_flag is None


def test_the_plane_of_a_sensor_has_units() -> None:
    plane: dict[int, Value] = {
        0xA20E: (7200.0,),
        0xA210: (2,),
        0x920A: (8.8,),
        0xA405: (0,),
        0x010F: "Canon",
        0x0110: "A " * 90,
    }
    pose = pose_of(Metadata(cameras=[plane], is_empty=False))
    assert pose.focal_plane_px_per_mm == 7200 / 25.4
    assert (pose.focal_length_mm, pose.focal_length_35mm, pose.make) == (8.8, None, "Canon")
    assert len(pose.model or "") == 80
    assert pose_of(Metadata(cameras=[plane | {0xA210: (3,)}])).focal_plane_px_per_mm == 720
    assert pose_of(Metadata(cameras=[plane | {0xA210: (1,)}])).focal_plane_px_per_mm is None


def test_tags_of_a_camera_do_not_make_a_bare_tiff_a_photograph() -> None:
    """The position of such a file is missing because nobody wrote metadata, not because the receiver was off."""
    block = b"II*\0\x08\0\0\0\x01\0" + b"\x0f\x01\x02\0\x03\0\0\0DJ\0\0" + bytes(4)
    exif = read_exif(block)
    assert exif is not None
    assert (exif.is_bare, exif.cameras) == (True, [{0x010F: "DJ"}])
