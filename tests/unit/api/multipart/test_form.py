"""Forms as clients write them, and as nobody should."""

import asyncio
import base64
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

import pytest
from fastapi import Request
from starlette.requests import ClientDisconnect

from api.errors import BodyTooLarge
from api.limits.body import FORM_STEP_BYTES
from api.limits.shares import BODIES, Holder, Pool, Shares
from api.multipart import form, spool
from api.multipart.charsets import CHARSETS
from api.multipart.form import Form, Limits, received
from shared.errors import InvalidRequest, LimitExceeded, NoRoom

EDGE = b"multipart/form-data; boundary=edge"
CLIENT, OTHER = (Holder(uuid.UUID(int=number), str(number)) for number in (1, 2))
LIMITS = Limits(files=3, file_bytes=100, files_setting="PHYTOBATCH_MAX_MULTIPART_FILES")


def request(
    body: bytes, content_type: bytes = EDGE, *, piece: int = 7, whole: bool = True, pool: Pool | None = None
) -> Request:
    """A request whose body arrives in pieces; without ``whole`` the client leaves after them."""
    pool = pool or Pool(10 * FORM_STEP_BYTES, Shares(1.0, 1.0), BODIES)
    pieces = [body[at : at + piece] for at in range(0, len(body), piece)] or [b""]

    async def receive() -> dict[str, object]:
        if not pieces:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces) or not whole}

    asked = Request({"type": "http", "method": "POST", "headers": [(b"content-type", content_type)]}, receive)
    asked.state.body_place = pool.take(CLIENT)
    return asked


@contextmanager
def _closed(found: Form) -> Iterator[Form]:
    yield found
    assert all(not file.body.closed for file in found.files)


async def _read(asked: Request, limits: Limits) -> tuple[dict[str, str], list[tuple[str, str, bytes]]]:
    async with received(asked, limits) as found:
        with _closed(found):
            files = [(file.field, file.name, _content(file)) for file in found.files]
    assert all(file.body.closed for file in found.files)
    return found.fields, files


def _content(file: form.ReceivedFile) -> bytes:
    file.body.seek(0)
    content = file.body.read()
    assert file.size == len(content)
    return content


def read(
    body: bytes, content_type: bytes = EDGE, limits: Limits = LIMITS, *, piece: int = 7
) -> tuple[dict[str, str], list[tuple[str, str, bytes]]]:
    return asyncio.run(_read(request(body, content_type, piece=piece), limits))


def parts(*given: bytes, edge: bytes = b"edge") -> bytes:
    """Parts, each a head and a content with an empty line between them."""
    return b"".join(b"--" + edge + b"\r\n" + part + b"\r\n" for part in given) + b"--" + edge + b"--\r\n"


def file_part(disposition: bytes, content: bytes = b"leaf") -> bytes:
    return b"Content-Disposition: form-data; name=files; " + disposition + b"\r\n\r\n" + content


def name_of(disposition: str | bytes) -> str:
    raw = disposition.encode() if isinstance(disposition, str) else disposition
    ((_, name, content),) = read(parts(file_part(raw)))[1]
    assert content == b"leaf"
    return name


def base64_word(text: str, charset: str = "utf-8") -> str:
    return f"=?{charset}?B?{base64.b64encode(text.encode(charset)).decode()}?="


@pytest.mark.parametrize("piece", [1, 2, 64, 4096])
def test_fields_and_files_come_as_they_were_sent_however_they_are_cut(piece: int) -> None:
    body = parts(
        b'Content-Disposition: form-data; name="name"\r\n\r\nN\xc3\xb6rd \r\n-- edge',
        file_part(b'filename="a.jpg"\r\nContent-Type: image/jpeg', b"\r\n--edg\r\n\0--"),
        file_part(b'filename="b.jpg"', b""),
    )
    fields, files = read(body, piece=piece)
    assert fields == {"name": "Nörd \r\n-- edge"}
    assert files == [("files", "a.jpg", b"\r\n--edg\r\n\0--"), ("files", "b.jpg", b"")]


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("filename=a.jpg", "a.jpg"),
        ("filename=a b.jpg", "a b.jpg"),
        ("filename=Zürich.jpg", "Zürich.jpg"),
        ('filename="a;b=c.jpg"', "a;b=c.jpg"),
        ('filename="a;b.jpg"; size=3', "a;b.jpg"),
        ('  FileName = "a.jpg" ;', "a.jpg"),
        ('filename=""', ""),
        # As browsers write them, and curl since 7.81: nothing else is encoded (WHATWG HTML).
        ('filename="a%22b%0D%0Ac%20d.jpg"', 'a"b\r\nc%20d.jpg'),
        ('filename="a\\b.jpg"', "a\\b.jpg"),
        ('filename="ends with\\"', "ends with\\"),
        # As curl wrote them before (RFC 9110, 5.6.4).
        ('filename="a\\"b\\\\c.jpg"', 'a"b\\c.jpg'),
        # As Internet Explorer wrote them.
        ('filename="C:\\Photos\\North\\a.jpg"', "a.jpg"),
        ('filename="\\\\server\\photos\\a.jpg"', "a.jpg"),
        # RFC 8187; of two forms it is the better one, in either order.
        ("filename*=utf-8''Z%C3%BCrich.jpg", "Zürich.jpg"),
        ("filename*=UTF-8'de'Z%C3%BCrich%20%e8%91%89.jpg", "Zürich 葉.jpg"),
        ("filename*=iso-8859-1''Z%FCrich.jpg; filename=x.jpg", "Zürich.jpg"),
        ('filename="x.jpg"; filename*="utf-8\'\'Z%C3%BCrich.jpg"', "Zürich.jpg"),
        ("filename=\"x.jpg\"; filename*=utf-8''C:%5CPhotos%5Ca.jpg", "a.jpg"),
        ("filename*0*=utf-8''Z%C3%BC; filename*1=rich.jpg", "Zürich.jpg"),
        ("filename*1*=%BCrich; filename*0*=UTF-8'de'Z%C3; filename*2=\".jpg\"", "Zürich.jpg"),
        ("filename=Zurich.jpg; filename*0*=utf-8''Z%C3%BC; filename*1=rich.jpg", "Zürich.jpg"),
        ('filename*0="Zü"; filename*1="%41 rich.jpg"', "Zü%41 rich.jpg"),
        ("filename*=utf-8''b.jpg; filename*0=a", "b.jpg"),
        ("filename=\"x.jpg\"; filename*0*=utf-7''+2D0-; filename*1=.jpg", "x.jpg"),
        ("filename=\"; filename*=utf-8''b.jpg\"", "; filename*=utf-8''b.jpg"),
        # What cannot be read of it is passed over where the other form is there.
        ("filename=\"x.jpg\"; filename*=utf-7''+2D0-.jpg", "x.jpg"),
        ("filename=\"x.jpg\"; filename*=utf-8''%FF.jpg", "x.jpg"),
        ('filename="x.jpg"; filename*=Z%C3%BC.jpg', "x.jpg"),
        # RFC 2047, as .NET and mail libraries write it.
        (f'filename="{base64_word("Zürich.jpg")}"', "Zürich.jpg"),
        (f"filename={base64_word('Zürich.jpg')}", "Zürich.jpg"),
        ('filename="=?UTF-8?Q?Z=C3=BCrich_1.jpg?="', "Zürich 1.jpg"),
        ('filename="=?utf-8*de?q?Z=C3=BCrich.jpg?="', "Zürich.jpg"),
        (f'filename="{base64_word("葉", "big5")} {base64_word("の.jpg", "shift_jis")}"', "葉の.jpg"),
        ('filename="=?utf-8?Q?Z=C3?= =?utf-8?Q?=BCrich.jpg?="', "Zürich.jpg"),
        (f"filename=\"{base64_word('x.jpg')}\"; filename*=utf-8''Z%C3%BCrich.jpg", "Zürich.jpg"),
        # A name that only looks like it.
        ('filename="=?utf-8?B?!?="', "=?utf-8?B?!?="),
        ('filename="=?utf-7?Q?+2D0-?="', "=?utf-7?Q?+2D0-?="),
        ('filename="=?undefined?Q?a?="', "=?undefined?Q?a?="),
        ('filename="=?utf-8?Q?a?=.jpg"', "=?utf-8?Q?a?=.jpg"),
        (b'filename="Z\xfcrich.jpg"', "Zürich.jpg"),
        (b'filename="a\0b.jpg"', "ab.jpg"),
        # Folded, as RFC 7578 no longer has it.
        (b'\r\n filename="a.jpg"', "a.jpg"),
    ],
)
def test_a_file_name_is_read_in_every_form_that_clients_write(disposition: str | bytes, name: str) -> None:
    assert name_of(disposition) == name


def test_the_name_of_a_field_may_be_an_encoded_word() -> None:
    head = f'Content-Disposition: form-data; name="{base64_word("files")}"; filename=a\r\n\r\nleaf'
    assert read(parts(head.encode()))[1] == [("files", "a", b"leaf")]


@pytest.mark.parametrize(
    ("charset", "sent"),
    [
        (b"", "Zürich".encode()),
        (b"; charset=UTF-8", "Zürich".encode()),
        (b'; charset="iso-8859-1"', b"Z\xfcrich"),
        (b"; charset=ISO8859_1", b"Z\xfcrich"),
        (b"; charset=cp1254", b"Z\xfcrich"),
        (b"", b"Z\xfcrich"),
    ],
)
def test_text_has_the_charset_of_its_part(charset: bytes, sent: bytes) -> None:
    head = b"Content-Disposition: form-data; name=name\r\nContent-Type: text/plain" + charset + b"\r\n\r\n"
    assert read(parts(head + sent)) == ({"name": "Zürich"}, [])


def test_the_field_charset_holds_for_the_others_and_is_no_field() -> None:
    of_the_form = b"Content-Disposition: form-data; name=_charset_\r\n\r\nshift_jis"
    head = b"Content-Disposition: form-data; name=name\r\n\r\n"
    assert read(parts(of_the_form, head + "葉".encode("shift_jis"))) == ({"name": "葉"}, [])


def test_every_charset_that_is_read_holds_ascii() -> None:
    """So the syntax around it, and a name that needs no more, mean the same in each."""
    plain = bytes(range(0x20, 0x7F))
    assert {codec for codec in CHARSETS.values() if plain.decode(codec) != plain.decode("ascii")} == set()


@pytest.mark.parametrize("charset", [b"unicode_escape", b"utf-7", b"undefined", b"idna", b"rot13", b"hex", b"no such"])
@pytest.mark.parametrize("content", [b"\\ud800", b"+2D0-", b"plain"])
def test_no_codec_is_chosen_by_the_client(charset: bytes, content: bytes) -> None:
    head = b'Content-Disposition: form-data; name=name\r\nContent-Type: text/plain; charset="' + charset + b'"\r\n\r\n'
    with pytest.raises(InvalidRequest, match=r"'name'.*charset"):
        read(parts(head + content))
    of_the_form = b"Content-Disposition: form-data; name=_charset_\r\n\r\n" + charset
    with pytest.raises(InvalidRequest, match="charset"):
        read(parts(of_the_form, b"Content-Disposition: form-data; name=name\r\n\r\n" + content))
    # RFC 7578 has no charset of the whole.
    whole = EDGE + b'; charset="' + charset + b'"'
    assert read(parts(file_part(b"filename=a.jpg")), whole)[1] == [("files", "a.jpg", b"leaf")]


@pytest.mark.parametrize(
    ("content_type", "edge"),
    [
        (b'multipart/form-data; boundary="a b"', b"a b"),
        (b"Multipart/Form-Data;BOUNDARY=edge;charset=utf-8", b"edge"),
        (b"multipart/form-data; boundary==-=_?:,./()'+", b"=-=_?:,./()'+"),
        (b"multipart/form-data; boundary=" + b"x" * 70, b"x" * 70),
        (
            b"multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
            b"----WebKitFormBoundary7MA4YWxkTrZu0gW",
        ),
    ],
)
def test_boundaries_of_odd_forms_are_read(content_type: bytes, edge: bytes) -> None:
    assert read(parts(file_part(b"filename=a"), edge=edge), content_type)[1] == [("files", "a", b"leaf")]


@pytest.mark.parametrize(
    "content_type",
    [
        b"",
        b"application/json",
        b"application/x-www-form-urlencoded",
        b"multipart/mixed; boundary=edge",
        b"multipart/form-data",
        b"multipart/form-data; boundary=",
        b'multipart/form-data; boundary=""',
        b'multipart/form-data; boundary="edge',
        b'multipart/form-data; boundary="ends with "',
        b"multipart/form-data; boundary=\xe9dge",
        b"multipart/form-data; boundary=a; boundary=b",
        b"multipart/form-data; boundary=" + b"x" * 71,
        b"multipart/form-data boundary=edge",
    ],
)
def test_a_type_without_a_boundary_that_can_be_one_is_refused(content_type: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read(parts(file_part(b"filename=a")), content_type)


def test_a_preamble_and_an_epilogue_are_no_parts() -> None:
    body = b"for old readers\r\n" + parts(file_part(b"filename=a")) + b"--edge\r\nnothing of it counts"
    assert read(body)[1] == [("files", "a", b"leaf")]


WHOLE = parts(file_part(b"filename=a.jpg", b"first"), file_part(b"filename=b.jpg", b"second"))


@pytest.mark.parametrize("kept", range(len(WHOLE) - 4))
def test_a_body_that_ends_before_its_last_boundary_is_refused_wherever_it_ends(kept: int) -> None:
    with pytest.raises(InvalidRequest, match="before its last boundary"):
        read(WHOLE[:kept], piece=4096)


def test_a_client_that_leaves_is_no_error_of_the_form() -> None:
    with pytest.raises(ClientDisconnect):
        asyncio.run(_read(request(WHOLE[:-20], whole=False), LIMITS))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (parts(b"Content-Disposition: form-data; filename=a\r\n\r\nleaf"), "no name"),
        (parts(b"Content-Disposition: attachment; name=files; filename=a\r\n\r\nleaf"), "Content-Disposition"),
        (parts(b"Content-Type: image/jpeg\r\n\r\nleaf"), "Content-Disposition"),
        (parts(file_part(b"filename=a; filename=b")), "twice"),
        (parts(file_part(b"name=other; filename=b")), "twice"),
        (parts(file_part(b"filename*0=a; filename*2=b")), "pieces"),
        (parts(file_part(b"filename*0=a; filename*0*=utf-8''b")), "pieces"),
        (parts(file_part(b"filename*1=a")), "pieces"),
        (parts(file_part(b"filename*0*=undefined''a; filename*1=b")), "RFC 8187"),
        (parts(file_part(b"filename*=utf-7''+2D0-")), "RFC 8187"),
        (parts(file_part(b'filename="a" b')), "cannot be read"),
        (parts(file_part(b"filename=a\r\nContent-Transfer-Encoding: BASE64", b"bGVhZg==")), "base64.*as they are"),
        (parts(file_part(b"filename=a\r\nContent-Transfer-Encoding: quoted-printable")), "quoted-printable"),
        (parts(file_part(b"filename=a\r\nContent-Type: multipart/mixed; boundary=x")), "multipart itself"),
        (parts(b"Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n\r\n"), "twice"),
        (parts(file_part(b"filename=a"))[:-4].replace(b"\r\n", b"\n"), "line break"),
        (b"nothing but text", "before its last boundary"),
        (parts(b"X" * 20_000 + b": long\r\n\r\n"), "header length"),
        (parts(b"".join(b"X-%d: many\r\n" % n for n in range(20)) + b"\r\n"), "header count"),
        (parts(file_part(b"filename=a\r\nContent-Length: 3")), "Content-Length"),
        (parts(*[b"Content-Disposition: form-data; name=a\r\n\r\n"] * 2), "twice"),
        (parts(*[b"Content-Disposition: form-data; name=n%d\r\n\r\n" % n for n in range(5000)]), "at most 16 fields"),
        (parts(b"Content-Disposition: form-data; name=files\r\n\r\n" + b"x" * 65_537), "65536 bytes"),
    ],
)
def test_what_is_no_form_is_refused_with_a_sentence(body: bytes, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        read(body, piece=4096)


def test_files_are_counted_and_weighed_while_they_arrive() -> None:
    with pytest.raises(LimitExceeded, match="3 files") as many:
        read(parts(*[file_part(b"filename=a")] * 5000))
    assert many.value.setting == "PHYTOBATCH_MAX_MULTIPART_FILES"
    assert len(read(parts(file_part(b"filename=a", b"x" * 100)))[1]) == 1
    with pytest.raises(BodyTooLarge, match=r"'a\.jpg' is larger than 100 bytes"):
        read(parts(file_part(b"filename=a.jpg", b"x" * 101)))


def test_the_files_of_a_form_together_stay_out_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "MEMORY_BYTES", 50)

    @asynccontextmanager
    async def where() -> AsyncIterator[Sequence[bool]]:
        contents = [b"a" * 40, b"b" * 40, b"c" * 5]
        body = parts(*(file_part(b"filename=a", content) for content in contents))
        async with received(request(body), LIMITS) as found:
            assert [_content(file) for file in found.files] == contents
            yield [hasattr(file.body, "fileno") and _has_descriptor(file) for file in found.files]

    async def ask() -> Sequence[bool]:
        async with where() as found:
            return found

    assert asyncio.run(ask()) == [False, True, False]


def _has_descriptor(file: form.ReceivedFile) -> bool:
    try:
        return file.body.fileno() >= 0
    except OSError:
        return False


def test_the_place_of_a_form_grows_with_it() -> None:
    """Its head said nothing of how many bytes there would be."""
    body = parts(file_part(b"filename=a.jpg", b"x" * 90))
    pool = Pool(FORM_STEP_BYTES + 1000, Shares(key=1.0, tenant=1.0), BODIES)
    with pool.take(OTHER, 100):
        assert asyncio.run(_read(request(body, pool=pool), LIMITS))[1] == [("files", "a.jpg", b"x" * 90)]
        assert pool.held == 100
    with pool.take(OTHER, 1000), pytest.raises(NoRoom):
        asyncio.run(_read(request(body, pool=pool), LIMITS))
    assert pool.held == 0


def test_a_disk_that_is_full_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "MEMORY_BYTES", 0)

    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spool, "TemporaryFile", full)
    with pytest.raises(NoRoom, match="no room"):
        read(WHOLE)
