"""The path of the public address."""

import pytest

from api.links import PREFIX, link
from shared.addresses.public import prefix_of
from shared.errors import ConfigurationError


@pytest.mark.parametrize(
    ("public_url", "prefix"),
    [
        (None, ""),
        ("https://farm.example", ""),
        ("https://farm.example/", ""),
        ("https://farm.example:8443/phyto/", "/phyto"),
        ("http://[::1]/a/b-c_1.2~x", "/a/b-c_1.2~x"),
    ],
)
def test_the_prefix_is_the_path_of_the_public_address(public_url: str | None, prefix: str) -> None:
    assert prefix_of(public_url) == prefix


@pytest.mark.parametrize(
    "public_url",
    [
        "https://farm.example/a b",
        "https://farm.example/a//b",
        "https://farm.example/..",
        "https://farm.example/ph%79to",
        "https://farm.example/v1",
        "https://farm.example/docs/api",
    ],
)
def test_an_address_that_can_be_none_stops_the_start(public_url: str) -> None:
    with pytest.raises(ConfigurationError, match="PHYTOBATCH_PUBLIC_URL"):
        prefix_of(public_url)


def test_outside_of_a_request_links_are_plain_paths() -> None:
    assert PREFIX.get() == ""
    assert link("/v1/jobs") == "/v1/jobs"
