import pytest

from shared.access.sources import SourceNotAllowed, check_source, parse_allowed
from shared.contracts.source import S3Prefix
from shared.errors import InvalidRequest


@pytest.mark.parametrize(
    ("allowed", "bucket", "prefix"),
    [
        ("s3://farm", "farm", ""),
        ("s3://farm", "farm", "any/thing"),
        ("s3://farm/", "farm", "any/"),
        ("s3://farm/north", "farm", "north/"),
        ("s3://farm/north/", "farm", "north/2026/DJI_"),
        ("s3://farm/a/b", "farm", "a/b/c"),
    ],
)
def test_inside_of_the_list(allowed: str, bucket: str, prefix: str) -> None:
    check_source(S3Prefix(bucket=bucket, prefix=prefix), ["s3://elsewhere", allowed], upload_bucket="uploads")


@pytest.mark.parametrize(
    ("allowed", "bucket", "prefix"),
    [
        ("s3://farm/farm1/", "farm", "farm10/"),
        ("s3://farm/farm1", "farm", "farm1"),
        ("s3://farm/farm1", "farm", ""),
        ("s3://farm/farm1", "farm", "Farm1/"),
        ("s3://farm/farm1", "farms", "farm1/"),
        ("s3://farm", "far", ""),
        ("s3://farm/farm1/", "farm", "farm1/../farm2/"),
        ("s3://farm", "farm", "./"),
        ("s3://uploads", "uploads", ""),
    ],
)
def test_outside_of_the_list(allowed: str, bucket: str, prefix: str) -> None:
    with pytest.raises(SourceNotAllowed, match="allow-s3"):
        check_source(S3Prefix.model_construct(bucket=bucket, prefix=prefix), [allowed], upload_bucket="uploads")


def test_an_empty_list_allows_nothing() -> None:
    with pytest.raises(SourceNotAllowed):
        check_source(S3Prefix(bucket="farm"), [], upload_bucket="uploads")


@pytest.mark.parametrize("uri", ["farm/north", "http://farm", "s3://", "s3:///north", "S3://farm"])
def test_what_is_no_address_cannot_be_allowed(uri: str) -> None:
    with pytest.raises(InvalidRequest, match="s3://bucket"):
        parse_allowed(uri)
