"""Reads of a store that misbehaves, moves, or stands behind something; a real one is in test_s3.py."""

import io
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

import pytest
from pydantic import SecretStr

from shared.errors import ObjectMissing, ObjectTooLarge, StoreUnavailable
from shared.settings import Settings
from shared.storage import reading
from shared.storage.s3 import S3Store
from tests.patience import PATIENCE_SECONDS

BODY = bytes(range(256)) * 40
MANY = 10**9
KEYS = ("a b+c%20d~e.jpg", "grün/überall/叶子 🌿.JPG", "?query=1&x#fragment;:@$!*'(),[]{}|^`\"<>=", "k" * 200)

Answer = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def store(settings: Settings) -> S3Store:
    made = S3Store(settings)
    made.create_bucket()
    return made


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "FIRST_PAUSE_SECONDS", 0.01)
    # The shortest wait for an answer that comes at once, also where the machine does ten other things.
    monkeypatch.setattr(reading, "READ_TIMEOUT_SECONDS", 1.0)


class Quiet(ThreadingHTTPServer):
    daemon_threads = True
    is_over: threading.Event

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is what these tests are about."""


class Odd:
    """A server that answers as it is told, in turn; the last answer stays."""

    def __init__(self, *answers: Answer, tls: SSLContext | None = None) -> None:
        self.asked: list[BaseHTTPRequestHandler] = []
        odd = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                odd.asked.append(self)
                answers[min(len(odd.asked), len(answers)) - 1](self)

            do_HEAD = do_GET  # noqa: N815  # http.server looks for the name

            def log_message(self, *_: object) -> None:
                return

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.server.is_over = threading.Event()
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.server.server_port}"

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield
        finally:
            self.server.is_over.set()
            self.server.shutdown()
            self.server.server_close()
            thread.join()


@contextmanager
def odd(*answers: Answer, tls: SSLContext | None = None) -> Iterator[Odd]:
    made = Odd(*answers, tls=tls)
    with made.running():
        yield made


def at(url: str, **changed: object) -> S3Store:
    fields: dict[str, object] = {"s3_access_key_id": SecretStr("AKID"), "s3_secret_access_key": SecretStr("secret")}
    given = {"database_url": "postgresql://x/x", "redis_url": "redis://x", "s3_bucket": "b", "s3_endpoint_url": url}
    return S3Store(Settings(**{**given, **fields, **changed}))  # type: ignore[arg-type]


def says(status: int, body: bytes = b"", **headers: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            if value:
                request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        if request.command == "GET":
            request.wfile.write(body)

    return answer


def error(status: int, code: str, **headers: str) -> Answer:
    return says(status, f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode(), **headers)


def cut(request: BaseHTTPRequestHandler) -> None:
    says(200, BODY, Content_Length=str(len(BODY) + 1))(request)
    request.close_connection = True


def hang(request: BaseHTTPRequestHandler) -> None:
    assert isinstance(request.server, Quiet)
    request.server.is_over.wait(PATIENCE_SECONDS)


def hang_in_the_middle(request: BaseHTTPRequestHandler) -> None:
    says(200, BODY, Content_Length=str(len(BODY) + 1))(request)
    hang(request)


def hang_up(request: BaseHTTPRequestHandler) -> None:
    request.close_connection = True


def without_length(request: BaseHTTPRequestHandler) -> None:
    says(200, BODY, Content_Length="", Connection="close")(request)
    request.close_connection = True


@pytest.mark.parametrize("key", KEYS)
def test_keys_of_any_letters_are_read(key: str, store: S3Store) -> None:
    store.put(key, io.BytesIO(BODY), size=len(BODY))
    assert store.get(key, max_bytes=len(BODY)) == BODY


def test_an_empty_object_and_the_one_after_it_are_read(store: S3Store) -> None:
    store.put("empty", io.BytesIO(b""), size=0)
    assert [store.get("empty", max_bytes=1) for _ in range(3)] == [b""] * 3


@pytest.mark.parametrize(
    "first",
    [
        error(503, "SlowDown"),
        error(500, "InternalError"),
        error(400, "RequestTimeout"),
        says(502, b"<html>"),
        says(429),
        hang_up,
        hang,
    ],
)
def test_an_accident_of_the_moment_is_asked_again(first: Answer) -> None:
    with odd(first, says(200, BODY)) as server:
        assert at(server.url).get("x", max_bytes=MANY) == BODY
        assert len(server.asked) == 2


@pytest.mark.parametrize("answer", [error(503, "SlowDown"), says(500), hang, hang_up])
def test_a_store_that_stays_ill_is_asked_as_often_as_always_and_is_an_outage(answer: Answer) -> None:
    with odd(answer) as server:
        with pytest.raises(StoreUnavailable):
            at(server.url).get("x", max_bytes=MANY)
        assert len(server.asked) == 3


@pytest.mark.parametrize("answer", [cut, hang_in_the_middle])
def test_an_object_that_breaks_off_is_an_outage_at_once(answer: Answer) -> None:
    with odd(answer) as server:
        with pytest.raises(StoreUnavailable):
            at(server.url).get("x", max_bytes=MANY)
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("answer", "ours", "elsewhere"),
    [
        (error(404, "NoSuchKey"), ObjectMissing, ObjectMissing),
        (says(404), ObjectMissing, ObjectMissing),
        (error(403, "InvalidObjectState"), ObjectMissing, ObjectMissing),
        (error(404, "NoSuchBucket"), StoreUnavailable, ObjectMissing),
        (error(403, "AccessDenied"), StoreUnavailable, ObjectMissing),
        (says(403), StoreUnavailable, ObjectMissing),
        (error(403, "SignatureDoesNotMatch"), StoreUnavailable, StoreUnavailable),
        (error(301, "PermanentRedirect"), StoreUnavailable, StoreUnavailable),
        (says(400, b"no XML"), StoreUnavailable, StoreUnavailable),
    ],
)
def test_what_a_refusal_means_depends_on_whose_bucket_it_is(
    answer: Answer, ours: type[Exception], elsewhere: type[Exception]
) -> None:
    with odd(answer) as server:
        store = at(server.url)
        with pytest.raises(ours):
            store.get("x", max_bytes=MANY)
        with pytest.raises(elsewhere):
            store.get("x", bucket="theirs", max_bytes=MANY)
        assert len(server.asked) == 2


def test_the_limit_holds_also_where_nobody_says_the_length() -> None:
    with odd(without_length) as server:
        assert at(server.url).get("x", max_bytes=len(BODY)) == BODY
        with pytest.raises(ObjectTooLarge):
            at(server.url).get("x", max_bytes=len(BODY) - 1)


def test_an_object_over_the_limit_is_not_read() -> None:
    """The server has no more than the first bytes of it: whoever waited for the rest would run into a timeout."""
    with odd(hang_in_the_middle) as server, pytest.raises(ObjectTooLarge):
        at(server.url).get("x", max_bytes=len(BODY))


def test_a_bucket_of_another_region_is_read_there() -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        if "/eu-south-2/" in request.headers["Authorization"]:
            says(200, BODY)(request)
        else:
            error(400, "AuthorizationHeaderMalformed", x_amz_bucket_region="eu-south-2")(request)

    with odd(answer) as server:
        store = at(server.url)
        assert store.get("x", bucket="far-away", max_bytes=MANY) == BODY
        asked = len(server.asked)
        assert store.get("y", bucket="far-away", max_bytes=MANY) == BODY
        assert len(server.asked) == asked + 1


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with odd(says(200, BODY)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "elsewhere.test")
        assert at("http://store.test:8333").get("x", max_bytes=MANY) == BODY
        assert proxy.asked[0].path == "http://store.test:8333/b/x"


def test_certificates_of_an_own_authority_are_trusted_where_they_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=store"
    command = [*make.split(), "-addext", "subjectAltName=IP:127.0.0.1", "-out", str(certificate), "-keyout", str(key)]
    subprocess.run(command, check=True, capture_output=True)
    tls = SSLContext(PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with odd(says(200, BODY), tls=tls) as server:
        with pytest.raises(StoreUnavailable):
            at(server.url).get("x", max_bytes=MANY)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
        assert at(server.url).get("x", max_bytes=MANY) == BODY


def test_without_credentials_nothing_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with odd(says(200, BODY)) as server:
        with pytest.raises(StoreUnavailable):
            at(server.url, s3_access_key_id=None, s3_secret_access_key=None).get("x", max_bytes=MANY)
        assert server.asked == []


def partly(start: int, end: int, body: bytes = BODY) -> Answer:
    """A server that answers with these bytes of an object, whatever was asked."""
    return says(206, body[start:end], Content_Range=f"bytes {start}-{end - 1}/{len(body)}")


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [
        (0, 100, BODY[:100]),
        (300, 17, BODY[300:317]),
        (len(BODY) - 5, 100, BODY[-5:]),
        (0, MANY, BODY),
        (len(BODY), 10, b""),
        (10 * len(BODY), 10, b""),
    ],
)
def test_a_part_of_an_object_is_read(store: S3Store, start: int, length: int, expected: bytes) -> None:
    store.put("parts", io.BytesIO(BODY), size=len(BODY))
    assert store.get_range("parts", start=start, length=length) == expected


def test_a_part_of_an_object_that_is_missing_or_empty(store: S3Store) -> None:
    with pytest.raises(ObjectMissing):
        store.get_range("nobody", start=0, length=10)
    store.put("empty", io.BytesIO(b""), size=0)
    assert store.get_range("empty", start=0, length=10) == b""


@pytest.mark.parametrize("answer", [says(200, BODY), without_length, partly(0, 1000), partly(40, 200)])
def test_a_server_may_send_more_than_was_asked(answer: Answer) -> None:
    with odd(answer) as server:
        assert at(server.url).get_range("x", start=50, length=20) == BODY[50:70]
        assert server.asked[0].headers["Range"] == "bytes=50-69"


def test_a_server_that_sends_another_part_says_nothing() -> None:
    with odd(partly(100, 200)) as server:
        assert at(server.url).get_range("x", start=50, length=20) == b""


def test_of_an_object_that_is_sent_whole_no_more_is_read_than_was_asked() -> None:
    """The server has no more than the first bytes of it: whoever waited for the rest would run into a timeout."""
    with odd(hang_in_the_middle) as server:
        assert at(server.url).get_range("x", start=0, length=len(BODY)) == BODY


def test_a_part_is_asked_again_after_an_accident_and_an_outage_is_one() -> None:
    with odd(error(503, "SlowDown"), partly(0, 10)) as server:
        assert at(server.url).get_range("x", start=0, length=10) == BODY[:10]
    short = says(206, BODY[:5], Content_Length="10", Content_Range="bytes 0-9/99")
    with odd(short) as server, pytest.raises(StoreUnavailable):
        at(server.url).get_range("x", start=0, length=10)


def test_connections_of_parts_are_used_again() -> None:
    connections: list[object] = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        connections.append(request.client_address)
        partly(0, 10)(request)

    with odd(answer) as server:
        reader = at(server.url)
        assert [reader.get_range("x", start=0, length=10) for _ in range(5)] == [BODY[:10]] * 5
    assert len(set(connections)) == 1
