"""The signature of a read is that of boto3's own signer."""

import time
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from shared.storage.presigning import Address
from shared.storage.reading import NO_BODY, signed_headers

AT = datetime(2026, 5, 14, 7, 8, 9, tzinfo=UTC)
ADDRESSES = (
    Address("http://127.0.0.1:8333/photos/", "/photos/", "127.0.0.1:8333", "us-east-1/s3/aws4_request"),
    Address(
        "https://photos.s3.eu-south-2.amazonaws.com/",
        "/",
        "photos.s3.eu-south-2.amazonaws.com",
        "eu-south-2/s3/aws4_request",
    ),
)
KEYS = ("uploads/1/00000001", "a b+c%20d~e.jpg", "grün/叶子 🌿.JPG", "//x/./y/../z", "?q=1&x#f;:@$!*'(),[]{}|\\^`\"<>=")


@pytest.mark.parametrize("token", [None, "to/ken+=="])
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("address", ADDRESSES)
def test_signature_is_that_of_boto3(
    address: Address, key: str, token: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "get_current_datetime", lambda: AT.replace(tzinfo=None))
    credentials = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", token)
    path = quote(key, safe="/~")
    theirs = AWSRequest("GET", address.base + path, headers={"x-amz-content-sha256": NO_BODY})
    theirs.context["payload_signing_enabled"] = True
    auth.S3SigV4Auth(credentials, "s3", address.scope.partition("/")[0]).add_auth(theirs)
    ours = signed_headers(address, path, credentials.get_frozen_credentials(), AT.timetuple())
    assert ours["authorization"] == theirs.headers["Authorization"]
    assert ours["x-amz-date"] == theirs.headers["X-Amz-Date"]
    assert ours.get("x-amz-security-token") == theirs.headers.get("X-Amz-Security-Token")


def test_a_signature_is_of_its_second() -> None:
    credentials = Credentials("AKIDEXAMPLE", "secret").get_frozen_credentials()
    first, second = (signed_headers(ADDRESSES[0], "x", credentials, time.gmtime(at)) for at in (0, 1))
    assert first["authorization"] != second["authorization"]
