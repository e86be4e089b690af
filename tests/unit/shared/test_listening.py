"""A program listens where it is told to, with both families of addresses."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import urllib3

from shared.listening import EVERY_ADDRESS, EVERY_IPV4_ADDRESS, bound_sockets, own_address, reachable_host
from shared.metrics.definition import Program
from shared.metrics.exposition import Exposition
from shared.settings import Settings
from tests.patience import PATIENCE_SECONDS
from worker.webhooks.metrics import DELIVERER_ZEROS


def has_address(address: str) -> bool:
    try:
        with socket.socket(socket.AF_INET6) as one:
            one.bind((address, 0))
    except OSError:
        return False
    return True


with_ipv6 = pytest.mark.skipif(not has_address("::1"), reason="this machine has no address of IPv6, not even ::1")


@contextmanager
def listening(host: str, port: int = 0) -> Iterator[list[socket.socket]]:
    sockets = bound_sockets(host, port)
    try:
        for one in sockets:
            one.listen()
        yield sockets
    finally:
        for one in sockets:
            one.close()


def seen_client(server: socket.socket, address: str) -> str:
    """The address that the server sees of a client that connects to one of its own."""
    with (
        socket.create_connection((address, server.getsockname()[1]), timeout=PATIENCE_SECONDS),
        server.accept()[0] as accepted,
    ):
        return str(accepted.getpeername()[0])


@with_ipv6
def test_every_address_is_that_of_both_families_and_each_client_comes_from_its_own() -> None:
    with listening(EVERY_ADDRESS) as (four, six):
        assert four.getsockname()[1] == six.getsockname()[1]
        # Not ::ffff:127.0.0.1, which is in none of the networks of PHYTOBATCH_TRUSTED_PROXIES.
        assert seen_client(four, "127.0.0.1") == "127.0.0.1"
        assert seen_client(six, "::1") == "::1"


@pytest.mark.parametrize("host", ["127.0.0.1", EVERY_IPV4_ADDRESS, pytest.param("::1", marks=with_ipv6)])
def test_one_address_is_one_socket(host: str) -> None:
    with listening(host) as (only,):
        assert only.getsockname()[0] == host


@pytest.mark.parametrize("host", ["127.0.0.1", EVERY_ADDRESS])
def test_a_port_that_is_taken_is_an_error(host: str) -> None:
    with listening("127.0.0.1") as (taken,), pytest.raises(OSError, match="in use"):
        bound_sockets(host, taken.getsockname()[1])


def test_without_ipv6_every_address_is_every_one_of_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    assert reachable_host(EVERY_ADDRESS) == EVERY_IPV4_ADDRESS
    assert reachable_host("127.0.0.1") == "127.0.0.1"
    with listening(EVERY_ADDRESS) as (only,):
        assert seen_client(only, "127.0.0.1") == "127.0.0.1"


@contextmanager
def metrics_at(host: str) -> Iterator[int]:
    """The port at which a deliverer serves metrics at this host."""
    with listening("127.0.0.1") as (free,):
        port = free.getsockname()[1]
    exposition = Exposition(Program.DELIVERER, DELIVERER_ZEROS)
    exposition.serve(
        Settings(
            database_url="postgresql://x/x", redis_url="redis://x", s3_bucket="x", metrics_host=host, metrics_port=port
        )
    )
    try:
        yield port
    finally:
        exposition.close()


def shown_at(address: str, port: int) -> bool:
    with urllib3.PoolManager(timeout=PATIENCE_SECONDS, retries=False) as pool:
        return b"phytobatch_build_info" in pool.request("GET", f"http://{address}:{port}/metrics").data


@with_ipv6
def test_metrics_are_served_at_every_address() -> None:
    with metrics_at("::") as port:
        assert shown_at("127.0.0.1", port)
        assert shown_at("[::1]", port)


def test_of_a_name_that_replicas_share_each_serves_metrics_at_its_own_address_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = socket.getaddrinfo

    def answers(host: str, *rest: int, **named: int) -> list[tuple[object, ...]]:
        """As Docker's name service: this one is the second replica."""
        addresses = ["192.0.2.7", "127.0.0.2", "192.0.2.9"] if host == "worker-watch" else [host]
        return [info for address in addresses for info in asked(address, *rest, **named)]

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    with metrics_at("worker-watch") as port:
        assert shown_at("127.0.0.2", port)
        with pytest.raises(urllib3.exceptions.HTTPError):
            shown_at("127.0.0.1", port)
    assert own_address("192.0.2.7") == "192.0.2.7", "then the program says that it cannot listen there"
