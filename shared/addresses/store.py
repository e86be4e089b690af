"""The address of an S3 server: Amazon's own by region, any other by endpoint.

Source: AWS General Reference, "Amazon Simple Storage Service endpoints and quotas".
"""

import re
from typing import NamedTuple

from shared.addresses.http import parts_of, read_http
from shared.addresses.parts import AddressError

EXAMPLE = "https://s3.example.org or http://minio:9000"
# For us-east-1 there is an address without a region.
AMAZON = re.compile(
    r"(?:(?P<bucket>.+)\.)?s3(?:[.-](?:dualstack\.)?(?P<region>[a-z]{2}(?:-[a-z]+)+-[0-9]))?\.amazonaws\.com(?:\.cn)?",
    re.IGNORECASE,
)


class Amazon(NamedTuple):
    """The bucket and the region that an address of Amazon's S3 names."""

    bucket: str | None
    region: str | None


def read_store(text: str, bucket: str, region: str) -> str | None:
    """Read the address of an S3 server, without the bucket that some clouds put at its end; ``None`` for Amazon's own.

    boto3 itself knows Amazon's host of every region and bucket.

    Raises:
        AddressError: it is invalid, begins with the bucket, is of another region, or has a host that boto3 refuses.
    """
    address = read_http(text, example=EXAMPLE)
    named = amazon(address)
    if named is not None:
        _check_amazon(named, bucket, region)
        return None
    if "_" in parts_of(address).hosts[0].name:
        raise AddressError(f"has a _ in its host, which boto3 takes for no address; give it another name, as {EXAMPLE}")
    if bucket and parts_of(address).hosts[0].name.lower().startswith(f"{bucket.lower()}."):
        raise AddressError(f"begins with the bucket; write the address of the server alone, as {EXAMPLE}")
    return address.removesuffix(f"/{bucket}") if bucket else address


def read_public_store(text: str, bucket: str, region: str, inside: str | None) -> str | None:
    """Read the address that clients reach. Amazon's own is kept if ``inside`` is another address of it.

    Raises:
        AddressError: as ``read_store``.
    """
    address = read_store(text, bucket, region)
    if address is not None or inside is None:
        return address
    return read_http(text, example=EXAMPLE)


def amazon(address: str) -> Amazon | None:
    """Read bucket and region of an address that is only one of Amazon's own; otherwise return ``None``."""
    parts = parts_of(address)
    match = AMAZON.fullmatch(parts.hosts[0].name)
    if match is None or parts.path or parts.hosts[0].port is not None:
        return None
    return Amazon(match["bucket"], match["region"])


def _check_amazon(named: Amazon, bucket: str, region: str) -> None:
    if named.bucket is not None and named.bucket != bucket:
        raise AddressError("begins with a bucket that is not PHYTOBATCH_S3_BUCKET; leave it empty for AWS")
    if named.region is not None and named.region != region:
        raise AddressError(
            f"is of the region {named.region}, and PHYTOBATCH_S3_REGION says {region}; let both say the same"
        )
