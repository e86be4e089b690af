"""S3 as other servers speak it: before the real one stands a server that changes what it says."""

import io
import re
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, quote, urlsplit
from xml.sax.saxutils import escape

import pytest
import urllib3

from shared.errors import ObjectMissing, StoreUnavailable
from shared.settings import Settings
from shared.storage import s3
from shared.storage.s3 import S3Store
from shared.storage.store import StoredObject
from tests.integration.storage.test_reading import KEYS, Answer, Odd, error, says

Change = Callable[[BaseHTTPRequestHandler, bytes], bytes]
Instead = Callable[[BaseHTTPRequestHandler], bool]
HEADERS_OF_A_HOP = frozenset({"connection", "transfer-encoding", "content-length", "keep-alive"})


class Before(Odd):
    """A server that hands each request on to the real one, and changes the answer.

    ``change`` makes another body of it; ``instead`` may answer itself, and says whether it did.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(self._hand_on)
        self._real = str(settings.s3_endpoint_url)
        self.plainly()
        self._http = urllib3.PoolManager(retries=False)
        handler = self.server.RequestHandlerClass
        for method in ("PUT", "POST", "DELETE"):
            setattr(handler, f"do_{method}", handler.do_GET)  # type: ignore[attr-defined]  # Odd made it

    def plainly(self) -> None:
        """Change nothing from here on."""
        self.change: Change = lambda _, body: body
        self.instead: Instead = lambda _: False
        self.asked.clear()

    def says(self, answer: Answer) -> None:
        """Give one answer to everything."""

        def instead(request: BaseHTTPRequestHandler) -> bool:
            answer(request)
            return True

        self.instead = instead

    def _hand_on(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        if self.instead(request):
            return
        answer = self._http.request(
            request.command, self._real + request.path, body=body, headers=dict(request.headers)
        )
        changed = self.change(request, answer.data)
        request.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in HEADERS_OF_A_HOP:
                request.send_header(name, value)
        length = answer.headers.get("Content-Length", "0") if request.command == "HEAD" else str(len(changed))
        request.send_header("Content-Length", length)
        request.end_headers()
        request.wfile.write(changed)


@pytest.fixture(scope="module")
def before(settings: Settings) -> Iterator[Before]:
    made = Before(settings)
    with made.running():
        yield made


@pytest.fixture(scope="module")
def store(settings: Settings, before: Before) -> Iterator[S3Store]:
    """The store as the programs open it, which asks once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(s3, "ATTEMPTS", 1)
        made = S3Store(settings.model_copy(update={"s3_endpoint_url": before.url}))
        made.create_bucket()
        yield made


@pytest.fixture(autouse=True)
def _plainly(before: Before) -> Iterator[None]:
    yield
    before.plainly()


@pytest.fixture
def prefix(store: S3Store) -> str:
    """Two objects of the same size with other bytes, below a prefix of their own."""
    folder = f"flight-{uuid.uuid4().hex}/"
    for number in (1, 2):
        store.put(f"{folder}{number}.tif", io.BytesIO(b"%d" % number * 4), size=4)
    return folder


@pytest.mark.parametrize(
    "gone",
    [
        rb"<ETag>.*?</ETag>",
        rb"<Size>.*?</Size>",
        rb"<LastModified>.*?</LastModified>",
        rb"<(ETag|Size|LastModified|StorageClass)>.*?</\1>|<Owner>.*?</Owner>",
    ],
)
def test_a_listing_needs_no_more_than_keys(store: S3Store, before: Before, prefix: str, gone: bytes) -> None:
    before.change = lambda _, body: re.sub(gone, b"", body)
    found = list(store.list_objects(prefix))
    assert [(one.key, one.size) for one in found] == [(f"{prefix}1.tif", 4), (f"{prefix}2.tif", 4)]
    assert [one.md5 is None for one in found] == [b"ETag" in gone] * 2


@pytest.mark.parametrize(
    "said", [b"<ETag/>", b'<ETag>""</ETag>', b"<ETag>7</ETag>", b"<LastModified>soon</LastModified>"]
)
def test_what_a_listing_says_beside_the_keys_may_be_odd(
    store: S3Store, before: Before, prefix: str, said: bytes
) -> None:
    name = said[1:5].replace(b"/", b"")
    odd_one = rb"<%s[^>]*>.*?</%s[^>]*>" % (name, name)
    before.change = lambda _, body: re.sub(odd_one, said, body)
    assert [one.key for one in store.list_objects(prefix)] == [f"{prefix}1.tif", f"{prefix}2.tif"]


@pytest.mark.parametrize(
    ("etag", "size", "known"),
    [
        ("9E107D9D372BB6826BD81D3542A419D6", 4, "9e107d9d372bb6826bd81d3542a419d6"),
        ("9e107d9d372bb6826bd81d3542a419d6-3", 4, "9e107d9d372bb6826bd81d3542a419d6-3"),
        ("d41d8cd98f00b204e9800998ecf8427e", 0, "d41d8cd98f00b204e9800998ecf8427e"),
        ("d41d8cd98f00b204e9800998ecf8427e", 4, None),
        ("00000000000000000000000000000000-1", 4, None),
        ('W/"1', 4, None),
        ("1", 4, None),
        ("", 4, None),
    ],
)
def test_an_etag_speaks_of_the_content_where_it_is_made_of_it(etag: str, size: int, known: str | None) -> None:
    assert StoredObject("a.tif", size, etag).md5 == known


def refuse_with(request: BaseHTTPRequestHandler, status: int, code: str) -> bool:
    said = f"<Error><Code>{code}</Code></Error>".encode()
    request.send_response(status)
    request.send_header("Content-Length", str(len(said)))
    request.end_headers()
    request.wfile.write(said)
    return True


def wants_md5(request: BaseHTTPRequestHandler) -> bool:
    if request.command != "POST" or request.headers.get("Content-MD5"):
        return False
    return refuse_with(request, 400, "MissingContentMD5")


def knows_no_bulk(request: BaseHTTPRequestHandler) -> bool:
    if request.command != "POST":
        return False
    return refuse_with(request, 501, "NotImplemented")


def takes_no_list(request: BaseHTTPRequestHandler) -> bool:
    """Refuse the request as such, by a code that names the body and not the operation."""
    if request.command != "POST":
        return False
    return refuse_with(request, 400, "MalformedXML")


@pytest.mark.parametrize(("instead", "requests"), [(wants_md5, 1), (knows_no_bulk, 3), (takes_no_list, 3)])
def test_objects_are_removed_where_md5_is_wanted_and_where_only_one_at_a_time_goes(
    store: S3Store, before: Before, prefix: str, instead: Instead, requests: int
) -> None:
    before.instead = instead
    before.asked.clear()
    store.delete([f"{prefix}1.tif", f"{prefix}2.tif"])
    assert len(before.asked) == requests
    assert list(store.list_objects(prefix)) == []


def test_a_key_that_was_not_removed_is_an_outage_unless_it_is_gone(store: S3Store, before: Before, prefix: str) -> None:
    said = "<DeleteResult><Error><Key>x</Key><Code>{}</Code></Error></DeleteResult>"
    before.change = lambda *_: said.format("NoSuchKey").encode()
    store.delete([f"{prefix}1.tif"])
    before.change = lambda *_: said.format("AccessDenied").encode()
    with pytest.raises(StoreUnavailable, match="AccessDenied"):
        store.delete([f"{prefix}2.tif"])


def test_keys_of_any_letters_are_listed_and_removed(store: S3Store) -> None:
    folder = f"{uuid.uuid4().hex}/"
    for key in KEYS:
        store.put(folder + key, io.BytesIO(b"x"), size=1)
    assert {one.key for one in store.list_objects(folder)} == {folder + key for key in KEYS}
    store.delete([folder + key for key in KEYS])
    assert list(store.list_objects(folder)) == []


def listing(*keys: str, more: bool = False, **said: str) -> bytes:
    """A page of a listing; keys as they stand in XML."""
    contents = "".join(f"<Contents><Key>{key}</Key><Size>1</Size></Contents>" for key in keys)
    rest = "".join(f"<{name}>{value}</{name}>" for name, value in said.items())
    return (
        f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{rest}{contents}</ListBucketResult>".encode()
    )


class Pages:
    """A store with keys of which it lists two at a time, in the first version of the call alone."""

    KEYS = ("a 1.jpg", "b&2.jpg", "c+3.jpg", "d%4.jpg", "e.jpg")

    def __init__(self, *, refuses: bool) -> None:
        self._refuses = refuses

    def __call__(self, request: BaseHTTPRequestHandler) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}
        if self._refuses and "list-type" in query:
            error(501, "NotImplemented")(request)
            return
        rest = [key for key in self.KEYS if key > query.get("marker", "")]
        encoded = query.get("encoding-type") == "url"
        keys = [quote(key) if encoded else escape(key) for key in rest[:2]]
        said = {"EncodingType": "url"} if encoded else {}
        says(200, listing(*keys, more=len(rest) > 2, **said))(request)


@pytest.mark.parametrize("refuses", [False, True])
def test_a_server_of_the_first_version_is_listed_to_its_end(store: S3Store, before: Before, *, refuses: bool) -> None:
    before.says(Pages(refuses=refuses))
    assert [one.key for one in store.list_objects("")] == list(Pages.KEYS)


@pytest.mark.parametrize(
    "page",
    [
        listing("a.jpg", more=True),
        listing(more=True),
        listing("a.jpg", more=True, NextContinuationToken="again"),
        b"<Error><Code>InternalError</Code></Error>",
        b"<html>not a listing",
    ],
)
def test_a_listing_that_does_not_go_on_is_an_outage_and_never_a_short_listing(
    store: S3Store, before: Before, page: bytes
) -> None:
    before.says(says(200, page))
    with pytest.raises(StoreUnavailable):
        list(store.list_objects(""))


def test_a_key_that_xml_cannot_hold_hides_no_other(store: S3Store, before: Before) -> None:
    before.says(says(200, listing("a&#x1;.jpg", "b\x02.jpg", "c&#65534;.jpg", "d&#x41;&#10;.jpg")))
    found = [one.key for one in store.list_objects("")]
    assert found == ["a\ufffd.jpg", "b\ufffd.jpg", "c\ufffd.jpg", "dA\n.jpg"]


def test_a_bucket_of_others_that_cannot_be_asked_for_is_theirs_to_mend(store: S3Store, before: Before) -> None:
    before.asked.clear()
    with pytest.raises(ObjectMissing):
        list(store.list_objects("", bucket="arn:aws:s3:::"))
    assert before.asked == []


def test_a_store_without_cors_of_a_bucket_and_without_a_list_of_uploads_is_used(
    store: S3Store, before: Before, prefix: str
) -> None:
    before.instead = lambda request: (
        ("?cors" in request.path or "?uploads" in request.path) and refuse_with(request, 501, "NotImplemented")
    )
    store.create_bucket()
    store.discard(prefix)
    assert list(store.list_objects(prefix)) == []


def test_a_role_that_may_not_set_cors_uses_the_bucket_all_the_same(store: S3Store, before: Before, prefix: str) -> None:
    before.instead = lambda request: "?cors" in request.path and refuse_with(request, 403, "AccessDenied")
    store.create_bucket()
    assert any("?cors" in request.path for request in before.asked)
    assert len(list(store.list_objects(prefix))) == 2
