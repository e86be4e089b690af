import base64
import hashlib
import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING

import psutil
import pytest
import urllib3
from botocore.exceptions import ClientError

from api.admin.doctor import store_ports
from deploy.local.objects import GRPC_OFFSET, PARTS, USUAL
from deploy.local.servers import BUCKET, LocalServers

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

BODY = b"not quite a photo"


def sha256(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


@pytest.fixture
def s3(servers: LocalServers) -> Iterator["S3Client"]:
    servers.objects.create_bucket(BUCKET)
    client = servers.objects.client()
    yield client
    client.close()


def put(client: "S3Client", key: str, body: bytes, *, checksum: str) -> int:
    address = client.generate_presigned_url(
        "put_object", Params={"Bucket": BUCKET, "Key": key, "ChecksumSHA256": checksum}, ExpiresIn=60
    )
    with urllib3.PoolManager(retries=False) as pool:
        return pool.request("PUT", address, body=body, headers={"x-amz-checksum-sha256": checksum}).status


def test_a_presigned_put_arrives(s3: "S3Client") -> None:
    assert put(s3, "good", BODY, checksum=sha256(BODY)) == HTTPStatus.OK
    assert s3.get_object(Bucket=BUCKET, Key="good")["Body"].read() == BODY


def test_a_presigned_put_with_another_checksum_is_refused(s3: "S3Client") -> None:
    assert put(s3, "bad", BODY, checksum=sha256(b"something else")) == HTTPStatus.BAD_REQUEST
    with pytest.raises(ClientError, match="404"):
        s3.head_object(Bucket=BUCKET, Key="bad")


def test_a_stranger_gets_nothing(servers: LocalServers, s3: "S3Client") -> None:
    s3.put_object(Bucket=BUCKET, Key="private", Body=BODY)
    with urllib3.PoolManager(retries=False) as pool:
        assert pool.request("GET", f"{servers.objects.url}/{BUCKET}/private").status == HTTPStatus.FORBIDDEN


def test_buckets_are_not_made_by_accident(s3: "S3Client") -> None:
    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3.put_object(Bucket="nobody-made-this", Key="x", Body=BODY)


def test_acknowledged_objects_survive_kill_9_on_the_same_port(servers: LocalServers, s3: "S3Client") -> None:
    port = servers.objects.port
    for number in range(30):
        s3.put_object(Bucket=BUCKET, Key=f"kept/{number}", Body=BODY + str(number).encode())
    servers.objects.kill()
    servers.objects.restart()
    assert servers.objects.port == port
    for number in range(30):
        assert s3.get_object(Bucket=BUCKET, Key=f"kept/{number}")["Body"].read() == BODY + str(number).encode()


def test_objects_survive_a_change_of_ports(servers: LocalServers, s3: "S3Client") -> None:
    s3.put_object(Bucket=BUCKET, Key="moved", Body=BODY)
    servers.objects.stop()
    old = servers.objects.port
    values = json.loads(servers.state.path.read_text(encoding="utf-8"))
    assert values["ports"]["objects"] == old
    servers.state.port("objects", lambda: _another(servers, old), lambda port: port != old)
    servers.objects.start()
    assert servers.objects.port != old
    client = servers.objects.client()
    try:
        assert client.get_object(Bucket=BUCKET, Key="moved")["Body"].read() == BODY
        client.put_object(Bucket=BUCKET, Key="after", Body=BODY)
    finally:
        client.close()


def _another(servers: LocalServers, old: int) -> int:
    return next(port for port in range(old + 20, old + 400) if servers.objects.port_usable(port))


def test_no_port_is_open_beyond_the_loopback_address(servers: LocalServers) -> None:
    addresses = {
        connection.laddr.ip
        for server in servers.all
        for connection in psutil.Process(server.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses == {"127.0.0.1"}


@pytest.mark.parametrize("usual", [7333, 8888, 17777])
def test_no_part_stands_where_the_doctor_of_another_stack_asks(servers: LocalServers, usual: int) -> None:
    """A store of a neighbour stood at 17333, and every doctor of this machine said that ours was open."""
    assert store_ports.USUAL == USUAL
    for part in range(len(PARTS)):
        assert not servers.objects.port_usable(usual - part)
        assert not servers.objects.port_usable(usual + GRPC_OFFSET - part)
