"""The XMP block that DJI's drones write in addition to EXIF: altitudes, the drone's and the camera's yaw."""

from deploy.local.synthetic.flight.plan import Shot

HALF_TURN, TURN = 180.0, 360.0
PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:drone-dji="http://www.dji.com/drone-dji/1.0/"
 drone-dji:AbsoluteAltitude="{absolute:+.2f}" drone-dji:RelativeAltitude="{relative:+.2f}"
 drone-dji:GimbalPitchDegree="-90.00" drone-dji:GimbalYawDegree="{yaw:+.2f}" drone-dji:FlightYawDegree="{yaw:+.2f}"
 drone-dji:GpsLatitude="{latitude:+.8f}" drone-dji:GpsLongitude="{longitude:+.8f}"/>
</rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""


def dji_xmp(shot: Shot) -> bytes:
    """Return the packet of one photo; a yaw is -180 to 180 there."""
    return PACKET.format(
        absolute=shot.place.altitude,
        relative=shot.height,
        yaw=(shot.heading + HALF_TURN) % TURN - HALF_TURN,
        latitude=shot.place.latitude,
        longitude=shot.place.longitude,
    ).encode()
