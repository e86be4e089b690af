"""Single attempts, over real sockets, to receivers that behave and to such that do not."""

import asyncio
import gzip
import socket
import time
from collections.abc import Iterator
from email.utils import formatdate

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from shared.contracts.states import AttemptError
from shared.webhooks.signing import new_secret
from tests.integration.webhooks.attempts import BODY, LOOPBACK, message, send
from tests.integration.webhooks.receiver import Answer, Receiver
from worker.webhooks.answer import MAX_HEAD
from worker.webhooks.message import Attempt
from worker.webhooks.sender import Sender

MEGABYTE = 1024 * 1024


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def test_the_official_library_accepts_what_arrives(receiver: Receiver) -> None:
    new, old = new_secret(), new_secret()
    sent = message(receiver.url, new, old)
    attempt = send(sent)
    assert attempt.delivered
    assert (attempt.status, attempt.error, attempt.response) == (204, None, None)
    [got] = receiver.wait_for(1)
    assert got.body == BODY
    for secret in (new, old):
        Webhook(secret).verify(got.body, got.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(got.body.replace(b"completed", b"failed..."), got.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(got.body, got.headers)


def test_the_request_as_it_stands_on_the_wire(receiver: Receiver) -> None:
    sent = message(receiver.url + "/a%20b?x=%2F&y=%C3%BC")
    assert send(sent).delivered
    [got] = receiver.wait_for(1)
    assert (got.method, got.path) == ("POST", "/hooks/a%20b?x=%2F&y=%C3%BC")
    agent = got.headers.pop("user-agent")
    assert agent.startswith("Phytobatch-Webhooks/")
    assert got.headers.pop("webhook-signature").startswith("v1,")
    assert got.headers == {
        "host": f"127.0.0.1:{receiver.port}",
        "webhook-id": sent.webhook_id,
        "webhook-timestamp": str(sent.timestamp),
        "content-type": "application/json",
        "content-length": str(len(BODY)),
        "accept": "*/*",
        "accept-encoding": "identity",
        "connection": "close",
    }


def test_cookies_are_not_kept_and_connections_neither(receiver: Receiver) -> None:
    receiver.answer = Answer(status=200, headers={"Set-Cookie": "a=b; Path=/", "Connection": "keep-alive"})

    async def twice() -> list[Attempt]:
        sender = Sender(LOOPBACK, timeout_seconds=10)
        try:
            return [await sender.send(message(receiver.url)) for _ in range(2)]
        finally:
            await sender.close()

    assert all(attempt.delivered for attempt in asyncio.run(twice()))
    first, second = receiver.wait_for(2)
    assert "cookie" not in second.headers
    assert first.headers["connection"] == second.headers["connection"] == "close"


@pytest.mark.parametrize("status", [200, 201, 202, 299])
def test_every_2xx_is_delivered(receiver: Receiver, status: int) -> None:
    receiver.answer = Answer(status=status, body=b"thank you", headers={"Retry-After": "5"})
    attempt = send(receiver.url)
    assert attempt.delivered
    assert (attempt.status, attempt.response, attempt.retry_after) == (status, "thank you", None)


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
def test_other_statuses_are_no_errors_of_the_attempt_and_not_delivered(receiver: Receiver, status: int) -> None:
    receiver.answer = Answer(status=status, body=b"no")
    attempt = send(receiver.url)
    assert not attempt.delivered
    assert (attempt.status, attempt.error, attempt.response) == (status, None, "no")


def test_retry_after_in_seconds_and_as_a_date(receiver: Receiver) -> None:
    receiver.answer = Answer(status=429, headers={"Retry-After": "90"})
    assert send(receiver.url).retry_after == 90
    sent = message(receiver.url)
    receiver.answer = Answer(status=503, headers={"Retry-After": formatdate(sent.timestamp + 600, usegmt=True)})
    assert send(sent).retry_after == 600
    receiver.answer = Answer(status=500, headers={"Retry-After": "next week"})
    assert send(receiver.url).retry_after is None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(receiver: Receiver, status: int) -> None:
    with Receiver() as elsewhere:
        receiver.answer = Answer(status=status, headers={"Location": elsewhere.url, "Retry-After": "60"})
        attempt = send(receiver.url)
        assert not attempt.delivered
        assert (attempt.status, attempt.error) == (status, AttemptError.REDIRECTED)
        assert attempt.retry_after == 60
        assert elsewhere.requests == []
    assert len(receiver.requests) == 1


def test_a_receiver_that_hangs(receiver: Receiver) -> None:
    receiver.answer = Answer(hang=True)
    attempt = send(receiver.url, timeout_seconds=0.3)
    assert (attempt.status, attempt.error, attempt.delivered) == (None, AttemptError.TIMEOUT, False)
    assert attempt.milliseconds >= 300


def test_a_server_that_accepts_and_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        attempt = send(f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout_seconds=0.3)
    assert attempt.error is AttemptError.TIMEOUT


def test_an_endless_head_is_over_at_the_deadline(receiver: Receiver) -> None:
    receiver.answer = Answer(raw=b"HTTP/1.1 100 Continue\r\n\r\n" * 1000 + b"HTTP/1.1 ")
    assert send(receiver.url, timeout_seconds=1).error in {AttemptError.TIMEOUT, AttemptError.ANSWER_BROKEN}


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert send(f"http://127.0.0.1:{port}/").error is AttemptError.CONNECTION_FAILED


@pytest.mark.parametrize("status", [200, 500])
def test_of_an_answer_of_ten_megabytes_only_the_beginning_is_read(receiver: Receiver, status: int) -> None:
    receiver.answer = Answer(status=status, body=b"0123456789" * MEGABYTE)
    attempt = send(receiver.url)
    assert attempt.delivered is (status == 200)
    assert attempt.response == ("0123456789" * 103)[:1024]
    receiver.wait_until_left()
    # What was read, what asyncio and the kernel had already taken of what came, and the receiver's own buffer.
    assert 64 * 1024 <= receiver.written < 4 * MEGABYTE


def test_an_answer_that_drips_counts_by_its_status(receiver: Receiver) -> None:
    receiver.answer = Answer(status=200, body=b"x" * 1000, piece=1, pause=0.02)
    attempt = send(receiver.url, timeout_seconds=2)
    assert attempt.delivered
    assert attempt.error is None
    assert attempt.response is not None
    assert 1 <= len(attempt.response) < 1000


def test_an_answer_that_breaks_off_counts_by_its_status(receiver: Receiver) -> None:
    receiver.answer = Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    attempt = send(receiver.url)
    assert attempt.delivered
    assert attempt.response == "half"
    receiver.answer = Answer(raw=b"HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf")
    attempt = send(receiver.url)
    assert (attempt.status, attempt.error, attempt.response) == (500, None, "half")


def test_a_compressed_answer_is_not_unpacked(receiver: Receiver) -> None:
    bomb = gzip.compress(b"\0" * 10 * MEGABYTE)
    receiver.answer = Answer(status=200, headers={"Content-Encoding": "gzip"}, body=bomb)
    attempt = send(receiver.url)
    assert attempt.delivered
    assert attempt.response == bomb[:1024].decode(errors="replace").replace("\0", "")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: te",
        b"HTTP/1.1 " + b"a" * 100_000,
        b"HTTP/1.1 999999 OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 40 + b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
        b"\x15\x03\x03\x00\x02\x02\x46",
    ],
    ids=["nothing", "ssh", "half", "long-line", "status", "two-digits", "interim", "hints-alone", "icy", "tls"],
)
def test_what_is_not_http_is_no_answer(receiver: Receiver, raw: bytes) -> None:
    receiver.answer = Answer(raw=raw)
    attempt = send(receiver.url)
    assert (attempt.status, attempt.error) == (None, AttemptError.ANSWER_BROKEN)


ODD_ANSWERS = {
    "9 kB in a header": b"HTTP/1.1 200 OK\r\nX-Long: %s\r\nContent-Length: 2\r\n\r\nok" % (b"a" * 9000),
    "300 cookies": b"HTTP/1.1 200 OK\r\n%sContent-Length: 2\r\n\r\nok" % (b"Set-Cookie: a=b; Path=/\r\n" * 300),
    "a long reason": b"HTTP/1.1 200 %s\r\nContent-Length: 2\r\n\r\nok" % (b"O" * 9000),
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\nok",
    "HTTP/2 in letters": b"HTTP/2 200\r\nContent-Length: 2\r\n\r\nok",
    "an empty line before": b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "continue and hints": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "line feeds alone": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "Latin-1": b"HTTP/1.1 200 OK\r\nServer: caf\xe9\r\nContent-Length: 2\r\n\r\nok",
    "control characters": b"HTTP/1.1 200 OK\r\nX: a\x00b\x01\r\nContent-Length: 2\r\n\r\nok",
    "a name with a blank": b"HTTP/1.1 200 OK\r\nX Y: 1\r\nContent-Length: 2\r\n\r\nok",
    "a line without a colon": b"HTTP/1.1 200 OK\r\nPHP Warning\r\nContent-Length: 2\r\n\r\nok",
    "a folded line": b"HTTP/1.1 200 OK\r\nX: a\r\n b: c\r\nContent-Length: 2\r\n\r\nok",
    "one length twice": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\nContent-Length: 2\r\n\r\nok",
    "a length in words": b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok",
    "a length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2\r\nok\r\n0\r\n\r\n",
    "chunks with trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
    b"1;x=y\r\no\r\n1\r\nk\r\n0\r\nX-Checksum: 1\r\n\r\n",
    "chunks that break off": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n",
    "identity": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nok",
    "more than its length": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok<!-- and more -->",
    "less than its length": b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok",
    "gzip that is none": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok",
}


@pytest.mark.parametrize("raw", ODD_ANSWERS.values(), ids=ODD_ANSWERS)
def test_the_status_decides_however_odd_the_rest_of_the_answer_is(receiver: Receiver, raw: bytes) -> None:
    receiver.answer = Answer(raw=raw)
    attempt = send(receiver.url)
    assert (attempt.status, attempt.error, attempt.response) == (200, None, "ok")
    receiver.answer = Answer(raw=raw.replace(b" 200", b" 503", 1))
    attempt = send(receiver.url)
    assert (attempt.status, attempt.error, attempt.delivered) == (503, None, False)


@pytest.mark.parametrize("raw", [b"HTTP/1.1 204 X\r\n\r\nok", b"HTTP/1.1 204 X\r\nContent-Length: 2\r\n\r\nok"])
def test_the_body_of_an_answer_that_has_none_means_nothing(receiver: Receiver, raw: bytes) -> None:
    receiver.answer = Answer(raw=raw)
    attempt = send(receiver.url)
    assert (attempt.status, attempt.error, attempt.response) == (204, None, None)


def test_headers_without_an_end_are_cut_and_the_status_counts(receiver: Receiver) -> None:
    """The receiver never ends its headers: whoever waited for that would wait until the deadline."""
    raw = b"HTTP/1.1 200 OK\r\n" + b"Set-Cookie: a=b\r\n" * (MAX_HEAD // 10)
    receiver.answer = Answer(raw=raw, linger=True)
    attempt = send(receiver.url, timeout_seconds=60)
    assert (attempt.status, attempt.error, attempt.response) == (200, None, None)


def test_a_receiver_that_resets_behind_its_status_has_the_event(receiver: Receiver) -> None:
    receiver.answer = Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok", reset=True)
    attempt = send(receiver.url)
    assert (attempt.status, attempt.error) == (200, None)


def test_proxies_and_passwords_of_the_environment_are_ignored(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    netrc = tmp_path_factory.mktemp("home") / ".netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with Receiver() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url.removesuffix("/hooks"))
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        assert send(receiver.url).delivered
        assert proxy.requests == []
    [got] = receiver.wait_for(1)
    assert "authorization" not in got.headers
    assert "proxy-authorization" not in got.headers


def test_many_at_a_time_and_a_hanging_one_holds_up_nobody(receiver: Receiver) -> None:
    with Receiver(lambda _: Answer(hang=True)) as hanging:

        async def all_of_them() -> tuple[list[Attempt], Attempt]:
            sender = Sender(LOOPBACK, timeout_seconds=20)
            try:
                stuck = asyncio.create_task(sender.send(message(hanging.url)))
                await asyncio.to_thread(hanging.wait_for, 1)
                done = await asyncio.gather(*(sender.send(message(receiver.url)) for _ in range(200)))
                assert not stuck.done()
                stuck.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await stuck
                return done, await sender.send(message(receiver.url))
            finally:
                await sender.close()

        done, afterwards = asyncio.run(all_of_them())
    assert all(attempt.delivered for attempt in done)
    assert afterwards.delivered
    assert len({got.headers["webhook-id"] for got in receiver.wait_for(201)}) == 201


def test_whatever_breaks_is_an_attempt_and_no_exception(receiver: Receiver) -> None:
    attempt = send(message(receiver.url, "whsec_no base64 at all!"))
    assert not attempt.delivered
    assert attempt.error is AttemptError.CONNECTION_FAILED
    assert receiver.requests == []


def test_the_time_is_that_of_the_attempt(receiver: Receiver) -> None:
    receiver.answer = Answer(status=200, delay=0.2)
    began = time.monotonic()
    milliseconds = send(receiver.url).milliseconds
    assert 200 <= milliseconds <= (time.monotonic() - began) * 1000 + 1
