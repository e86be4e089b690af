"""Address and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from phytobatch.configuration import api_key, base_url, check_authorities
from phytobatch.errors import ConfigurationError
from phytobatch.pools import is_loopback
from phytobatch.sdk import Phytobatch

KEY = "pb_very-secret"


def test_an_option_comes_before_the_environment_and_that_before_the_default() -> None:
    environment = {"PHYTOBATCH_URL": "https://b/"}

    assert base_url("https://a/base/", environment) == "https://a/base"
    assert base_url(None, environment) == "https://b"
    assert base_url(None, {}) == "http://127.0.0.1:8000"
    assert base_url("", {"PHYTOBATCH_URL": " "}) == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    "url", ["phytobatch.example.org", "ftp://x", "https://", "https://u:p@x", "https://x/?a=1", "https://x y"]
)
def test_an_address_that_makes_no_sense_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        base_url(url, {})


def test_a_file_of_authorities_that_would_trust_nobody_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    for path in (tmp_path / "empty.pem", tmp_path / "none.pem"):
        with pytest.raises(ConfigurationError, match=f"SSL_CERT_FILE names {path}"):
            check_authorities({"SSL_CERT_FILE": str(path)})
    environment = {"SSL_CERT_FILE": ""}
    check_authorities(environment)
    assert environment == {}


def test_the_key_comes_from_a_file_or_the_environment(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")

    assert api_key(tmp_path / "key", {"PHYTOBATCH_API_KEY": "other"}) == KEY
    assert api_key(None, {"PHYTOBATCH_API_KEY": f" {KEY}\n"}) == KEY


def test_no_key_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match="PHYTOBATCH_API_KEY"):
        api_key(None, {})


def test_a_file_that_holds_no_key_is_refused_without_showing_it(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n{KEY}")

    with pytest.raises(ConfigurationError) as caught:
        api_key(tmp_path / "key", {})
    assert KEY not in str(caught.value)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        api_key(tmp_path / "gone", {})


def test_the_key_is_in_no_repr() -> None:
    client = Phytobatch("https://x", KEY)

    assert KEY not in repr(client)
    assert KEY not in repr(vars(client))


@pytest.mark.parametrize(
    ("url", "local"),
    [("http://127.0.0.1:1", True), ("http://[::1]", True), ("http://localhost", True), ("http://10.0.0.1", False)],
)
def test_loopback_is_known(url: str, *, local: bool) -> None:
    assert is_loopback(url) is local
