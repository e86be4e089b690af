"""Header fields of a part: the name of its field, the name of its file, the charset of its text."""

import base64
import quopri
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import quote, unquote_to_bytes

from multipart import content_disposition_unquote, header_unquote

from api.multipart import charsets
from shared.errors import InvalidRequest

MEDIA_TYPE = "multipart/form-data"
# How a client says that it sends the bytes as they are (RFC 2045, section 6.1).
AS_THEY_ARE = frozenset({"", "binary", "8bit", "7bit"})

# A quoted value with escapes (RFC 9110, 5.6.4); quoted as browsers do, where a backslash escapes nothing (WHATWG HTML,
# "multipart/form-data encoding algorithm"); or bare, which some clients write although there are blanks in it.
PARAMETER = re.compile(
    r"""[ \t]*;[ \t]*(?P<name>[!\#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*
    (?P<value>"(?:\\.|[^"\\])*"(?=[ \t]*(?:;|$))|"[^"]*"(?=[ \t]*(?:;|$))|[^;"]*)""",
    re.VERBOSE | re.ASCII,
)
# RFC 2046, 5.1.1 has fewer characters; a client that takes others can be understood all the same.
BOUNDARY = re.compile(r"[\x20-\x7e]{0,69}[\x21-\x7e]")
EXTENDED = re.compile(r"(?P<charset>[^']+)'[^']*'(?P<text>(?:[^%'\s]|%[0-9A-Fa-f]{2})*)")
# A value in pieces (RFC 2231, section 3), as libraries for mail write a long one.
PIECE = re.compile(r"(?P<name>[^*]+)\*(?P<number>0|[1-9][0-9]?)(?P<extended>\*?)")
# Charset (with a language, RFC 2231, that says nothing here), coding, text.
WORD = r"=\?([^?*\s]+)(?:\*[^?\s]*)?\?([BbQq])\?([^?\s]*)\?="
WORDS = re.compile(rf"(?:{WORD}[ \t]*)+")
PATH_OF_WINDOWS = re.compile(r"(?:[A-Za-z]:\\|\\\\).*\\", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Part:
    """The headers of a part: ``file_name`` is ``None`` for text, and ``charset`` where none is named."""

    field: str
    file_name: str | None
    charset: str | None


def boundary_of(content_type: str) -> str:
    """Return the boundary that the ``Content-Type`` of a request names.

    Raises:
        InvalidRequest: it is no multipart form, or names no boundary that can be one (RFC 2046, 5.1.1).
    """
    media_type, values = parameters(content_type)
    if media_type != MEDIA_TYPE:
        raise InvalidRequest(f"send the files as {MEDIA_TYPE}, this body is {content_type or 'without a Content-Type'}")
    boundary: str = header_unquote(values.get("boundary", ""))
    if not BOUNDARY.fullmatch(boundary):
        raise InvalidRequest(
            f"the Content-Type needs a boundary of 1 to 70 ASCII characters; here it is {boundary[:80]!r}"
        )
    return boundary


def part_of(headers: Sequence[tuple[str, str]]) -> Part:
    """Read the header fields of a part. Their values are given byte by byte, as Latin-1.

    Raises:
        InvalidRequest: the part has no name, a header field twice, or is of a kind that is not read.
    """
    texts = {name: charsets.decode(value.encode("latin-1"), None) for name, value in headers}
    if len(texts) < len(headers):
        raise InvalidRequest("a part has a header field twice; send each once")
    _, values = parameters(texts.get("Content-Disposition", ""))
    if "name" not in values:
        raise InvalidRequest('a part has no name; each begins with Content-Disposition: form-data; name="…"')
    field = _words(content_disposition_unquote(values["name"]))
    media_type, of_text = parameters(texts.get("Content-Type", ""))
    if media_type.startswith("multipart/"):
        raise InvalidRequest(f"the part {field!r} is a multipart itself; send each file as a part of its own")
    encoding = texts.get("Content-Transfer-Encoding", "").strip().lower()
    if encoding not in AS_THEY_ARE:
        raise InvalidRequest(
            f"the part {field!r} has the transfer encoding {encoding[:80]!r}, which forms do not have (RFC 7578, 4.7); "
            "send the bytes as they are"
        )
    charset = header_unquote(of_text["charset"]) if "charset" in of_text else None
    return Part(field, _file_name(values), charset)


def parameters(header: str) -> tuple[str, Mapping[str, str]]:
    """Return the value of a header field in lower case, and its parameters as they were written, by name.

    Raises:
        InvalidRequest: it cannot be read, or a parameter comes twice.
    """
    value = header.partition(";")[0]
    found: dict[str, str] = {}
    at = len(value)
    while header[at:].strip(" \t;"):
        match = PARAMETER.match(header, at)
        if match is None:
            raise InvalidRequest(f"the header field {header[:200]!r} cannot be read; quote its values")
        name = match["name"].lower()
        if name in found:
            raise InvalidRequest(f"the header field {header[:200]!r} has {name!r} twice; send it once")
        found[name] = match["value"].strip(" \t")
        at = match.end()
    return value.strip(" \t").lower(), found


def _file_name(values: Mapping[str, str]) -> str | None:
    """Return the name of the file: of both forms the extended one (RFC 6266, 4.3; .NET and others send both)."""
    plain = values.get("filename")
    extended = header_unquote(values["filename*"]) if "filename*" in values else _joined("filename", values)
    name = None if extended is None else _extended(extended)
    if name is None and plain is not None:
        name = _words(content_disposition_unquote(plain))
    elif name is None and extended is not None:
        raise InvalidRequest(f"the name {extended[:200]!r} cannot be read; send filename*=utf-8''… (RFC 8187)")
    # Old browsers send the whole path.
    return None if name is None else PATH_OF_WINDOWS.sub("", name, count=1)


def _joined(name: str, values: Mapping[str, str]) -> str | None:
    """Join the extended value of a parameter that comes in pieces (RFC 2231, 3 and 4.1); ``None`` if there are none.

    Raises:
        InvalidRequest: a piece is missing, or comes twice.
    """
    found = [
        (match, value) for key, value in values.items() if (match := PIECE.fullmatch(key)) and match["name"] == name
    ]
    found.sort(key=lambda piece: int(piece[0]["number"]))
    if [int(match["number"]) for match, _ in found] != list(range(len(found))):
        raise InvalidRequest(f"of {name!r}, which comes in pieces (RFC 2231), one is missing or comes twice")
    if not found:
        return None
    charset = "" if found[0][0]["extended"] else "utf-8''"  # It stands in the first piece, or nowhere.
    return charset + "".join(
        header_unquote(value) if match["extended"] else quote(content_disposition_unquote(value), safe="")
        for match, value in found
    )


def _extended(value: str) -> str | None:
    """Decode an extended value (RFC 8187, 3.2); ``None`` if it is not one."""
    match = EXTENDED.fullmatch(value)
    if match is None:
        return None
    try:
        return charsets.decode(unquote_to_bytes(match["text"]), match["charset"])
    except InvalidRequest:
        return None


def _words(value: str) -> str:
    """Decode encoded words (RFC 2047), if the value is nothing else and they can be read; else return the value."""
    if not WORDS.fullmatch(value):
        return value
    words: list[tuple[str, str, str]] = re.findall(WORD, value)
    try:
        # Adjacent words may share a character between them.
        return "".join(
            charsets.decode(b"".join(_bytes(coding, text) for _, coding, text in same), charset)
            for charset, same in groupby(words, key=lambda word: word[0].lower())
        )
    except (InvalidRequest, ValueError):
        return value


def _bytes(coding: str, text: str) -> bytes:
    """Return the bytes of an encoded word (RFC 2047, 4.1 and 4.2).

    Raises:
        ValueError: they are no Base64, or not ASCII.
    """
    if coding in "Bb":
        return base64.b64decode(text, validate=True)
    return quopri.decodestring(text.encode("ascii"), header=True)
