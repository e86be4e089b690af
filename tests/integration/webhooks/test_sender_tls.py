"""The certificate is checked for the name of the URL, though the connection goes to an address."""

import socket
import ssl
import threading
from collections.abc import Iterator

import pytest

from shared.contracts.states import AttemptError
from tests.integration.authority import WITH_OPENSSL, Authority
from tests.integration.webhooks.attempts import leads_to, send
from tests.integration.webhooks.receiver import Answer, Receiver
from tests.patience import PATIENCE_SECONDS

pytestmark = WITH_OPENSSL

NAME = "hooks.example.org"
OTHER = "other.example.org"
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("authority"))
    made.make(name=f"DNS:{NAME}", address="IP:127.0.0.1")
    return made


@pytest.fixture
def receiver(authority: Authority) -> Iterator[Receiver]:
    authority.asked.clear()
    with Receiver(ssl_context=authority.server()) as running:
        yield running


def test_the_name_is_that_of_the_url_and_the_address_the_checked_one(authority: Authority, receiver: Receiver) -> None:
    url = f"https://{NAME}:{receiver.port}/hooks"
    attempt = send(url, resolver=leads_to("127.0.0.1"), ssl_context=authority.trusting())
    assert attempt.delivered, attempt
    [got] = receiver.wait_for(1)
    assert got.headers["host"] == f"{NAME}:{receiver.port}"
    assert authority.asked == [NAME]


def test_a_certificate_for_another_name(authority: Authority, receiver: Receiver) -> None:
    url = f"https://{OTHER}:{receiver.port}/hooks"
    attempt = send(url, resolver=leads_to("127.0.0.1"), ssl_context=authority.trusting())
    assert (attempt.status, attempt.error) == (None, AttemptError.TLS_FAILED)
    assert authority.asked == [OTHER]
    assert receiver.requests == []


def test_a_certificate_of_an_unknown_authority(receiver: Receiver) -> None:
    url = f"https://{NAME}:{receiver.port}/hooks"
    attempt = send(url, resolver=leads_to("127.0.0.1"), ssl_context=ssl.create_default_context())
    assert attempt.error is AttemptError.TLS_FAILED
    assert receiver.requests == []


def test_an_address_needs_a_certificate_for_the_address(authority: Authority, receiver: Receiver) -> None:
    assert send(receiver.url, ssl_context=authority.trusting()).error is AttemptError.TLS_FAILED
    with Receiver(ssl_context=authority.server("address")) as other:
        assert send(other.url, ssl_context=authority.trusting()).delivered


def test_a_server_that_does_not_speak_tls(authority: Authority) -> None:
    def answer_in_plain_text(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(PATIENCE_SECONDS)
        thread = threading.Thread(target=answer_in_plain_text, args=(listening,))
        thread.start()
        attempt = send(f"https://127.0.0.1:{listening.getsockname()[1]}/", ssl_context=authority.trusting())
        thread.join(PATIENCE_SECONDS)
    assert (attempt.status, attempt.error) == (None, AttemptError.TLS_FAILED)


def test_a_server_that_never_ends_its_greeting(authority: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        attempt = send(url, ssl_context=authority.trusting(), timeout_seconds=0.3)
    assert attempt.error is AttemptError.TIMEOUT


def test_a_long_answer_is_cut_over_tls_as_well(authority: Authority, receiver: Receiver) -> None:
    receiver.answer = Answer(status=200, body=b"x" * (10 * MEGABYTE))
    url = f"https://{NAME}:{receiver.port}/hooks"
    attempt = send(url, resolver=leads_to("127.0.0.1"), ssl_context=authority.trusting())
    assert attempt.delivered
    assert attempt.response == "x" * 1024
    receiver.wait_until_left()
    assert receiver.written < 4 * MEGABYTE
