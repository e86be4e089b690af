"""Which URLs are accepted, and every known trick to write a private address in another way."""

from ipaddress import IPv4Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ConfigurationError, InvalidRequest
from shared.webhooks.addresses import is_global
from shared.webhooks.networks import Networks
from shared.webhooks.ports import Ports
from shared.webhooks.urls import Policy, Target

PUBLIC = Policy(ports=Ports.parse("443,8443"), networks=Networks())
ANYWHERE = Ports.parse("1-65535")
ON_PREMISES = Policy(ports=ANYWHERE, networks=Networks.parse("127.0.0.0/8,10.1.0.0/16,::1/128"))


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://hooks.example.org/plants?k=v&x=%20", "hooks.example.org", 443),
        ("HTTPS://Hooks.Example.ORG:8443", "hooks.example.org", 8443),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443),
        ("https://a_b.example.org/", "a_b.example.org", 443),
        ("https://8.8.8.8/", "8.8.8.8", 443),
        ("https://[2606:4700:4700:0::1111]/", "2606:4700:4700::1111", 443),
        ("https://1password.example/", "1password.example", 443),
    ],
)
def test_accepted(url: str, host: str, port: int) -> None:
    assert PUBLIC.check(url) == Target(url=url, scheme="https", host=host, port=port)


TRICKS = [
    # private addresses, as they are
    *("https://127.0.0.1/", "https://10.0.0.1/", "https://169.254.169.254/latest/meta-data", "https://0.0.0.0/"),
    *("https://[::1]/", "https://[::]/", "https://[fe80::1]/", "https://[fd00::1]/", "https://[fec0::1]/"),
    # in disguise
    *("https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[::127.0.0.1]/"),
    *("https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://[64:ff9b::10.0.0.1]/"),
    *("https://0177.0.0.1/", "https://2130706433/", "https://127.1/", "https://0x7f.1/", "https://0x7f000001/"),
    *("https://127.0.0.1./", "https://127.0.0.01/", "https://127.0.0.1.1/", "https://1.2.3/", "https://0/"),
    *("https://256.256.256.256/", "https://a.0x/", "https://017700000001/"),
    # names of the machine itself
    *("https://localhost/", "https://LOCALHOST/", "https://a.localhost/", "https://localhost./", "https://db/"),
    *("https://printer.local/", "https://vault.internal/", "https://nas.home.arpa/"),
    # two ways to read it
    *("https://a.example@b.example/", "https://u:p@example.org/", "https://@example.org/"),
    *("https://example.org\\@127.0.0.1/", "https:\\\\example.org/", "https://exam\tple.org/", "https://example.org\n/"),
    *(" https://example.org/", "https://example.org/ ", "https://example.org/a b", "https://example.org/\x00"),
    *("https://example.org#@127.0.0.1/", "https://example.org/#x", "https://example.org#"),
    *("https://example.org:443:443/", "https://example.org:/", "https://example.org:0/", "https://example.org:+443/"),
    *("https://example.org:0443/", "https://example.org:65536/", "https://example.org:99999/", "https://:443/"),
    *("https:///example.org/", "https:example.org", "https:/example.org/", "//example.org/", "example.org", ""),
    *("https://", "https://./", "https://../", "https://example..org/", "https://.example.org/", "https://-a.example/"),
    *("https://example.org./", "https://exa%6dple.org/", "https://127%2e0.0.1/", "https://ex,ample.org/"),
    *("https://[::1%25eth0]/", "https://[fe80::1%eth0]/", "https://[127.0.0.1]/", "https://[v1.a]/", "https://[::1/"),
    *("https://::1/", "https://[example.org]/", "https://[::1]a/", "https://]/", "https://[]/"),
    # other letters
    *("https://bücher.example/", "https://①②⑦.0.0.1/", "https://\uff4cocalhost/", "https://127。0。0。1/", "https://ex\u00adample.org/"),
    "https://example.org/\u00fc",
    # other schemes
    *("ftp://example.org/", "file:///etc/passwd", "gopher://example.org/", "javascript:alert(1)", "unix://example.org/"),
    # port and length
    *("https://example.org:22/", "https://example.org:80/", "http://example.org:443/", "http://8.8.8.8:443/"),
    *("https://example.org/" + "a" * 2000, "https://" + "a" * 64 + ".example/", "https://" + "a." * 130 + "example/"),
]  # fmt: skip


@pytest.mark.parametrize("url", TRICKS, ids=lambda url: ascii(url)[:60])
def test_refused(url: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        PUBLIC.check(url)
    assert refused.value.code == "webhook-url-refused"
    assert str(refused.value)


def test_plain_http_and_local_names_need_listed_networks() -> None:
    for url in ("http://receiver:8080/hooks", "https://receiver.internal:8080/", "http://receiver.example:80/"):
        assert ON_PREMISES.check(url).url == url
        with pytest.raises(InvalidRequest):
            Policy(ports=ANYWHERE, networks=Networks()).check(url)


def test_the_default_ports_are_those_of_the_scheme() -> None:
    assert ON_PREMISES.check("http://receiver/").port == 80
    assert ON_PREMISES.check("https://receiver/").port == 443


@pytest.mark.parametrize(
    ("address", "https", "http"),
    [
        ("127.0.0.1", True, True),
        ("::1", True, True),
        ("::ffff:10.1.0.1", True, True),
        ("8.8.8.8", True, False),
        ("10.2.0.1", False, False),
        ("::ffff:10.2.0.1", False, False),
    ],
)
def test_plain_http_goes_to_listed_networks_only(address: str, *, https: bool, http: bool) -> None:
    assert ON_PREMISES.allows(ip_address(address), 443, scheme="https") is https
    assert ON_PREMISES.allows(ip_address(address), 80, scheme="http") is http


def test_an_address_that_is_written_out_is_checked_at_once() -> None:
    assert ON_PREMISES.check("http://127.0.0.1:8080/").address == IPv4Address("127.0.0.1")
    assert ON_PREMISES.check("http://[0::1]:8080/").host == "::1"
    for url in ("http://8.8.8.8/", "http://10.2.0.1/", "https://10.2.0.1/", "http://[::2]/"):
        with pytest.raises(InvalidRequest):
            ON_PREMISES.check(url)


@given(st.text(alphabet="htps:/.[]@#\\?%0179xa-_ \t\u3002", max_size=30).map("https://".__add__))
def test_whatever_passes_is_a_name_or_a_public_address(url: str) -> None:
    try:
        target = PUBLIC.check(url)
    except InvalidRequest:
        return
    assert target.port in {443, 8443}
    assert target.address is None or is_global(target.address)
    assert target.host in url.lower() or target.address is not None


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("443,8443", {443, 8443}, {80, 444, 8442}),
        (" 1-65535", {1, 22, 65535}, {0, 65536}),
        ("80, 90-91,", {90, 91}, {92}),
    ],
)
def test_ports(text: str, inside: set[int], outside: set[int]) -> None:
    ports = Ports.parse(text)
    assert {port for port in inside | outside if port in ports} == inside


@pytest.mark.parametrize("text", ["", ",", "https", "0", "65536", "9-1", "443-", "-443", "443;80", "1-2-3", "²"])
def test_wrong_ports_are_named(text: str) -> None:
    with pytest.raises(ConfigurationError, match="PHYTOBATCH_WEBHOOK_PORTS"):
        Ports.parse(text)
