"""Request bodies: JSON, and multipart/form-data (RFC 7578) for the calls that carry files."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from urllib3.filepost import encode_multipart_formdata

from phytobatch.errors import FileUnreadable
from phytobatch.resources import JsonObject
from phytobatch.text import printable, utf8


@dataclass(frozen=True)
class Form:
    """An encoded form and the ``Content-Type`` that names its boundary."""

    body: bytes = field(repr=False)
    content_type: str


def encode(files: Iterable[tuple[str, Path]], fields: Mapping[str, str | None]) -> Form:
    """Encode files, read whole, and the text fields that are not None.

    Raises:
        FileUnreadable: a file cannot be read.
        ConfigurationError: a field is no text.
    """
    parts: list[tuple[str, str | tuple[str, bytes, str]]] = []
    parts += [(name, utf8(value).decode()) for name, value in fields.items() if value is not None]
    # The server looks at the bytes and not at what a name promises, hence one type for all.
    parts += [(name, (printable(path.name), _read(path), "application/octet-stream")) for name, path in files]
    body, content_type = encode_multipart_formdata(parts, boundary=uuid.uuid4().hex)
    return Form(body, content_type)


def json_body(data: JsonObject | None) -> bytes:
    """Encode JSON in UTF-8; an empty object for None, since the calls without a body accept that too.

    Raises:
        ConfigurationError: a value is no text.
    """
    return utf8(json.dumps(data or {}, ensure_ascii=False, separators=(",", ":")))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileUnreadable(f"{path} cannot be read: {error.strerror or error}") from error
