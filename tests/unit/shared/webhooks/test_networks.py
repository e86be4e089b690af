"""The operator's own networks, with and without ports of their own, and what is never among them."""

from ipaddress import ip_address

import pytest

from deploy.local.ports import FIRST_PORT
from deploy.local.programs import DEFAULTS, RECEIVER_PORTS
from deploy.local.stack import USUAL_API_PORT
from shared.errors import ConfigurationError, InvalidRequest
from shared.settings import Settings
from shared.webhooks.networks import Networks
from shared.webhooks.ports import Ports
from shared.webhooks.urls import Policy

WEB = Ports.parse("443,8443")


def policy(**overrides: object) -> Policy:
    servers = {
        "database_url": "postgresql+psycopg://u:p@127.0.0.1:15432/x",
        "redis_url": "rediss://:p@[::1]/0",
        "s3_bucket": "photographs",
        "s3_endpoint_url": "http://objects:8333",
        "s3_access_key_id": "k",
        "s3_secret_access_key": "s",
    }
    return Policy.of(Settings.model_validate({**servers, **overrides}))


def test_listed_networks() -> None:
    networks = Networks.parse(" 10.1.0.0/16, fd00::/8 ,192.0.2.7")
    assert networks
    for text, expected in {
        "10.1.2.3": True,
        "10.2.0.0": False,
        "fd12::1": True,
        "fc00::1": False,
        "192.0.2.7": True,
        "::ffff:10.1.2.3": True,  # on the wire this is IPv4
        "64:ff9b::a01:203": False,  # this is not
    }.items():
        assert networks.allow(ip_address(text), 443, WEB) is expected, text


def test_nothing_listed() -> None:
    for text in ("", " ", ","):
        assert not Networks.parse(text)
    assert not Networks.parse("").allow(ip_address("127.0.0.1"), 443, WEB)


@pytest.mark.parametrize(
    "text",
    [
        *("10.1.0.0/33", "10.1.2.3/16", "localhost", "10.1.0.0/16;10.2.0.0/16", "::/129", "[fd00::/8]", "[]:80"),
        *("10.1.0.0/16:", "10.1.0.0/16:0", "10.1.0.0/16:70000", "10.1.0.0/16:20-10", "10.1.0.0/16:http"),
    ],
)
def test_a_wrong_setting_is_named(text: str) -> None:
    with pytest.raises(ConfigurationError, match="PHYTOBATCH_WEBHOOK_NETWORKS"):
        Networks.parse(text)


def test_a_network_with_ports_of_its_own_is_open_at_those_and_at_no_others() -> None:
    networks = Networks.parse("10.1.2.0/24:8080,[fd00::/8]:8000-8099,10.3.0.0/16")
    for text, port, expected in (
        ("10.1.2.3", 8080, True),
        ("::ffff:10.1.2.3", 8080, True),
        ("10.1.2.3", 443, False),
        ("10.1.3.3", 8080, False),
        ("fd12::1", 8000, True),
        ("fd12::1", 8099, True),
        ("fd12::1", 8100, False),
        ("10.3.0.1", 443, True),
        ("10.3.0.1", 8080, False),
    ):
        assert networks.allow(ip_address(text), port, WEB) is expected, (text, port)


def test_a_named_port_is_open_in_its_network_and_nowhere_else() -> None:
    on_premises = policy(webhook_networks="10.1.2.0/24:8080")
    assert on_premises.check("http://10.1.2.3:8080/").port == 8080
    for url in ("https://8.8.8.8:8080/", "http://10.1.2.3:443/", "http://10.1.3.3:8080/", "http://10.1.2.3:9/"):
        with pytest.raises(InvalidRequest):
            on_premises.check(url)
    # Of a name it is not known before the delivery where it leads.
    assert on_premises.check("https://receiver.example.org:8080/").host == "receiver.example.org"
    assert not on_premises.allows(ip_address("8.8.8.8"), 8080, scheme="https")


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("127.0.0.1", 15432),
        ("127.0.0.2", 15432),  # what listens at every address is there, too
        ("[::ffff:127.0.0.1]", 15432),
        ("[::1]", 6379),
        ("127.0.0.1", 6379),
        ("objects", 8333),
        ("127.0.0.1", 9100),
        ("127.0.0.1", 8000),
    ],
)
def test_no_webhook_goes_to_a_server_of_our_own_whatever_is_listed(host: str, port: int) -> None:
    open_to_all = policy(webhook_networks="0.0.0.0/0,::/0", webhook_ports="1-65535", metrics_port=9100)
    assert open_to_all.check(f"http://{host}:{port + 1}/")
    with pytest.raises(InvalidRequest):
        open_to_all.check(f"http://{host}:{port}/")


@pytest.mark.parametrize(
    ("setting", "address", "receiver"),
    [
        ("database_url", "postgresql://u:p@10.0.0.1,10.0.0.2:6000/x", "10.0.0.1:5432"),
        ("database_url", "postgresql://u:p@10.0.0.1,10.0.0.2:6000/x", "10.0.0.2:6000"),
        ("database_url", "postgresql:///x?host=10.0.0.1&port=6000", "10.0.0.1:6000"),
        ("redis_url", "sentinel://:p@10.0.0.1,10.0.0.2/0?master_name=m", "10.0.0.2:26379"),
        ("traces_endpoint", "http://10.0.0.1/v1/traces", "10.0.0.1:80"),
        ("database_url", "postgresql://u:p@127.0.0.1:15432/x", "0.0.0.0:15432"),
        ("database_url", "postgresql://u:p@localhost/x", "[::]:5432"),
    ],
)
def test_every_server_of_an_address_is_our_own(setting: str, address: str, receiver: str) -> None:
    """Also where there are several, and however it is reached: a connection to 0.0.0.0 goes to this machine."""
    open_to_all = policy(webhook_networks="0.0.0.0/0,::/0", webhook_ports="1-65535", **{setting: address})
    with pytest.raises(InvalidRequest):
        open_to_all.check(f"http://{receiver}/")


def test_the_answer_of_a_whole_network_is_not_shown() -> None:
    mixed = policy(webhook_networks="10.1.0.0/16,10.2.0.0/16:8080", webhook_ports="443,8080")
    assert mixed.shows(ip_address("8.8.8.8"), 443)
    assert mixed.shows(ip_address("10.2.0.1"), 8080)
    assert not mixed.shows(ip_address("10.1.0.1"), 8080)


def test_the_local_stack_lists_receivers_and_none_of_its_own_servers() -> None:
    """Its servers take ports from ``FIRST_PORT`` on, SeaweedFS 10,000 above, too."""
    local = policy(webhook_networks=DEFAULTS["PHYTOBATCH_WEBHOOK_NETWORKS"])
    allowed = [port for port in range(1, 65536) if local.allows(ip_address("127.0.0.1"), port, scheme="http")]
    assert allowed == list(RECEIVER_PORTS)
    assert max(allowed) < FIRST_PORT
    assert USUAL_API_PORT not in allowed
    assert set(DEFAULTS) == {"PHYTOBATCH_WEBHOOK_NETWORKS"}, "other defaults may open more"
