"""The connection goes to an address that was checked, whatever a name says a moment later."""

import asyncio
import socket
import threading
from collections.abc import Iterator, Sequence
from ipaddress import ip_address

import pytest

from shared.contracts.states import AttemptError
from shared.webhooks.addresses import Address
from shared.webhooks.networks import Networks
from shared.webhooks.ports import Ports
from shared.webhooks.urls import Policy
from tests.integration.webhooks.attempts import LOOPBACK, leads_to, message, send
from tests.integration.webhooks.receiver import Answer, Receiver
from tests.patience import PATIENCE_SECONDS
from worker.webhooks import resolver as resolving
from worker.webhooks.connection import Place
from worker.webhooks.message import Attempt
from worker.webhooks.resolver import AddressRefused, CheckedResolver, NameLookups, addr_info
from worker.webhooks.sender import Sender

NAME = "hooks.example.org"
# What a production policy is: the receiver at 127.0.0.1 stands for anything private.
PUBLIC = Policy(ports=Ports.parse("1-65535"), networks=Networks())


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def at(receiver: Receiver, name: str = NAME, *, scheme: str = "http") -> str:
    return f"{scheme}://{name}:{receiver.port}/hooks"


def test_a_name_is_looked_up_once_and_stands_in_the_host_header(receiver: Receiver) -> None:
    asked: list[str] = []

    def resolve(name: str) -> Sequence[Address]:
        asked.append(name)
        return [ip_address("127.0.0.1")]

    assert send(at(receiver), resolver=resolve).delivered
    [got] = receiver.wait_for(1)
    assert got.headers["host"] == f"{NAME}:{receiver.port}"
    assert asked == [NAME]


def test_an_address_is_not_looked_up(receiver: Receiver) -> None:
    assert send(receiver.url).delivered  # ``send`` has a resolver that must not be asked


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
def test_an_address_of_ipv6() -> None:
    with Receiver(host="::1") as receiver:
        assert send(receiver.url).delivered
        assert send(at(receiver), resolver=leads_to("::1")).delivered
    first, second = receiver.requests
    assert first.headers["host"] == f"[::1]:{receiver.port}"
    assert second.headers["host"] == f"{NAME}:{receiver.port}"


@pytest.mark.parametrize(
    "addresses",
    [
        ("127.0.0.1",),
        ("8.8.8.8", "127.0.0.1"),
        ("127.0.0.1", "2606:4700:4700::1111"),
        ("::ffff:127.0.0.1",),
        ("64:ff9b::7f00:1",),
        ("169.254.169.254",),
    ],
    ids=",".join,
)
def test_one_private_address_refuses_the_whole_name(receiver: Receiver, addresses: tuple[str, ...]) -> None:
    attempt = send(at(receiver, scheme="https"), policy=PUBLIC, resolver=leads_to(*addresses))
    assert (attempt.status, attempt.error) == (None, AttemptError.ADDRESS_REFUSED)
    assert receiver.peak == 0, "a connection was made"


def test_a_name_that_turns_private_after_the_check_of_the_url(receiver: Receiver) -> None:
    answers = iter([[ip_address("93.184.215.14")], [ip_address("127.0.0.1")]])

    def rebinding(_name: str) -> Sequence[Address]:
        return next(answers)

    url = at(receiver, scheme="https")
    # At the time of the API's check the name was public, and the URL is a good one.
    assert PUBLIC.check(url).host == NAME
    assert PUBLIC.allows(rebinding(NAME)[0], receiver.port, scheme="https")
    attempt = send(url, policy=PUBLIC, resolver=rebinding)
    assert attempt.error is AttemptError.ADDRESS_REFUSED
    assert receiver.peak == 0


def test_a_name_that_changes_between_attempts_is_checked_at_each(receiver: Receiver) -> None:
    answers = iter(["127.0.0.1", "10.0.0.1", "127.0.0.1"])

    def rebinding(_name: str) -> Sequence[Address]:
        return [ip_address(next(answers))]

    async def attempts() -> list[Attempt]:
        sender = Sender(LOOPBACK, timeout_seconds=10, resolver=rebinding)
        try:
            return [await sender.send(message(at(receiver))) for _ in range(3)]
        finally:
            await sender.close()

    words = [attempt.error for attempt in asyncio.run(attempts())]
    assert words == [None, AttemptError.ADDRESS_REFUSED, None]
    assert len(receiver.requests) == 2


def test_the_first_address_that_answers_is_taken(receiver: Receiver) -> None:
    # Nobody listens at the other one.
    assert send(at(receiver), resolver=leads_to("127.0.0.77", "127.0.0.1")).delivered


def test_plain_http_does_not_leave_the_listed_networks() -> None:
    attempt = send(f"http://{NAME}:80/", resolver=leads_to("8.8.8.8"))
    assert attempt.error is AttemptError.ADDRESS_REFUSED


def test_a_stored_url_is_checked_again(receiver: Receiver) -> None:
    strict = Policy(ports=Ports.parse("443"), networks=Networks.parse("127.0.0.0/8"))
    for url, policy in (
        (receiver.url, PUBLIC),
        (receiver.url.replace("http:", "https:"), PUBLIC),
        (receiver.url, strict),
        ("ftp://127.0.0.1/", LOOPBACK),
        (receiver.url.replace("127.0.0.1", "2130706433"), LOOPBACK),
        (receiver.url.replace("127.0.0.1", "127.1"), LOOPBACK),
    ):
        assert send(url, policy=policy).error is AttemptError.URL_REFUSED, url
    assert receiver.peak == 0


def test_of_a_network_that_is_listed_as_a_whole_no_answer_is_shown(receiver: Receiver) -> None:
    """Whatever listens there would answer, and a tenant would read it. Who delivers still knows how it went."""
    whole = Policy(ports=Ports.parse("1-65535"), networks=Networks.parse("127.0.0.0/8"))
    receiver.answer = Answer(200, body=b"database: 16 connections")
    for url in (receiver.url, at(receiver)):
        shown = send(url, resolver=leads_to("127.0.0.1"))
        hidden = send(url, resolver=leads_to("127.0.0.1"), policy=whole)
        assert (shown.status, shown.response) == (200, "database: 16 connections")
        assert (hidden.status, hidden.error, hidden.response) == (200, None, None)


def test_a_port_that_is_not_named_gets_no_connection(receiver: Receiver) -> None:
    named = Policy(ports=Ports.parse("443"), networks=Networks.parse(f"127.0.0.0/8:{receiver.port}"))
    assert send(at(receiver), resolver=leads_to("127.0.0.1"), policy=named).delivered
    other = Policy(ports=Ports.parse("443"), networks=Networks.parse(f"10.0.0.0/8:{receiver.port},127.0.0.0/8:1"))
    attempt = send(at(receiver), resolver=leads_to("127.0.0.1"), policy=other)
    assert attempt.error is AttemptError.ADDRESS_REFUSED
    assert receiver.peak == 1


def test_a_name_that_does_not_exist() -> None:
    def nothing(_name: str) -> Sequence[Address]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    assert send(f"https://{NAME}/", resolver=nothing).error is AttemptError.NAME_NOT_FOUND
    assert send(f"https://{NAME}/", resolver=leads_to()).error is AttemptError.NAME_NOT_FOUND


def test_names_are_found_as_the_system_finds_them(receiver: Receiver) -> None:
    assert ip_address("127.0.0.1") in resolving.system_lookup("localhost")
    attempt = send(at(receiver, "localhost"), resolver=resolving.system_lookup)
    assert attempt.delivered
    with pytest.raises(socket.gaierror):
        resolving.system_lookup("no-such-name.invalid")


def test_every_address_is_checked_before_any_is_handed_out() -> None:
    async def resolve(*addresses: str) -> list[str]:
        checked = CheckedResolver(NameLookups(leads_to(*addresses)), PUBLIC, scheme="https")
        return [str(info[4][0]) for info in await checked.resolve(NAME, 443)]

    assert asyncio.run(resolve("8.8.8.8", "2606:4700:4700::1111")) == ["8.8.8.8", "2606:4700:4700::1111"]
    with pytest.raises(AddressRefused):
        asyncio.run(resolve("8.8.8.8", "2606:4700:4700::1111", "10.0.0.1"))


def test_the_socket_itself_refuses_what_nobody_checked() -> None:
    async def refused() -> None:
        checked = CheckedResolver(NameLookups(leads_to()), PUBLIC, scheme="https")
        for family, where in ((socket.AF_INET, ("10.0.0.1", 443)), (socket.AF_INET6, ("::1", 443, 0, 0))):
            with pytest.raises(AddressRefused):
                checked.make_socket((family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", where), places=[])
        places: list[Place] = []
        checked.make_socket(addr_info(ip_address("8.8.8.8"), 443), places=places).close()
        assert places == [(ip_address("8.8.8.8"), 443)]

    asyncio.run(refused())


def test_a_resolver_that_hands_out_others_than_it_checked_is_stopped_at_the_socket(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second wall holds when the first has a hole."""
    real = CheckedResolver.resolve

    async def hole(self: CheckedResolver, host: str, port: int) -> object:
        assert len(await real(self, host, port)) == 1
        return [addr_info(ip_address("127.0.0.1"), port)]

    monkeypatch.setattr(CheckedResolver, "resolve", hole)
    attempt = send(at(receiver, scheme="https"), policy=PUBLIC, resolver=leads_to("93.184.215.14"))
    assert attempt.error is AttemptError.ADDRESS_REFUSED
    assert receiver.peak == 0


def test_a_name_server_that_hangs_costs_its_own_attempts_alone(receiver: Receiver) -> None:
    release = threading.Event()
    asked: list[str] = []

    def resolve(name: str) -> Sequence[Address]:
        asked.append(name)
        if name == "dead.example.org":
            release.wait(PATIENCE_SECONDS)
        return [ip_address("127.0.0.1")]

    async def attempts() -> list[Attempt]:
        sender = Sender(LOOPBACK, timeout_seconds=PATIENCE_SECONDS, resolver=resolve)
        try:
            # More than there are threads: they share one look-up.
            dead = [asyncio.create_task(sender.send(message(at(receiver, "dead.example.org")))) for _ in range(300)]
            await asyncio.sleep(0)
            alive = await asyncio.gather(*(sender.send(message(at(receiver, f"{n}.example.org"))) for n in range(20)))
            assert not any(task.done() for task in dead)
            for task in dead:
                task.cancel()
            return alive
        finally:
            release.set()
            await sender.close()

    assert all(attempt.delivered for attempt in asyncio.run(attempts()))
    assert asked.count("dead.example.org") == 1


def test_an_attempt_is_over_at_its_deadline_also_while_a_name_server_hangs() -> None:
    release = threading.Event()

    def resolve(_: str) -> Sequence[Address]:
        release.wait(PATIENCE_SECONDS)
        return []

    attempt = send("https://dead.example.org/", timeout_seconds=0.3, resolver=resolve)
    release.set()
    assert attempt.error is AttemptError.TIMEOUT


def test_look_ups_are_bounded_and_those_that_wait_get_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolving, "MAX_LOOKUPS", 2)
    running, max_running = 0, 0
    lock = threading.Lock()
    gate = threading.Barrier(2, timeout=PATIENCE_SECONDS)

    def resolve(name: str) -> Sequence[Address]:
        nonlocal running, max_running
        with lock:
            running += 1
            max_running = max(max_running, running)
        gate.wait()  # two at a time are let through together
        with lock:
            running -= 1
        if name == "bad":
            raise socket.gaierror(socket.EAI_NONAME, "no")
        return [ip_address("127.0.0.1")]

    async def all_names() -> list[object]:
        names = NameLookups(resolve)
        return await asyncio.gather(*(names.find(name) for name in ("a", "b", "bad", "d")), return_exceptions=True)

    first, second, bad, last = asyncio.run(all_names())
    assert first == second == last == [ip_address("127.0.0.1")]
    assert isinstance(bad, socket.gaierror)
    assert max_running == 2
