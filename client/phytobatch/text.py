"""Text as files, shells and terminals give and take it: bytes that are no UTF-8 among them.

Python keeps such bytes of names and arguments as halves of surrogate pairs (PEP 383), which nobody else takes.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import Any, TextIO

from phytobatch.errors import ConfigurationError

SHOWN = 20  # characters before and behind one that is none
_HALVES = re.compile("[\ud800-\udfff]")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UTF8 = frozenset({"utf-8", "utf8", "utf-8-sig", "cp65001"})


def printable(name: str) -> str:
    """Return a file's name as it stands in a job: bytes that are no UTF-8 become U+FFFD, half a pair of Windows too."""
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    except UnicodeEncodeError:
        return _HALVES.sub("\ufffd", name)


def utf8(text: str) -> bytes:
    """Encode text as it is sent.

    Raises:
        ConfigurationError: a part of it is no text; the sentence shows where.
    """
    half = _HALVES.search(text)
    if half is None:
        return text.encode()
    around = text[max(0, half.start() - SHOWN) : half.end() + SHOWN].encode("utf-8", "backslashreplace").decode()
    raise ConfigurationError(
        f"This is not text in UTF-8: {around!r}. Write it again in a terminal whose encoding is UTF-8 (see `locale`)."
    )


def decoded(data: bytes) -> str:
    """Decode a small text file of a person: UTF-8, or what its first bytes say (Windows writes UTF-16).

    Raises:
        UnicodeDecodeError: it is something else.
    """
    return data.decode(next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8"))


def json_line(data: Any, stream: TextIO) -> str:  # noqa: ANN401  # what json takes
    """Return JSON that stays JSON in the encoding of a stream: escaped where that has not every character."""
    encoding = (getattr(stream, "encoding", None) or "utf-8").lower().replace("_", "-")
    return json.dumps(data, ensure_ascii=encoding not in _UTF8)
