"""The files of the page. Those of Swagger UI come from a package; the rest is small and is here."""

import gzip
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

PACKAGE = "fastapi_swagger.resources"
# Relative addresses, so that the page works below any path. No script and no style stands in it: see its policy.
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Phytobatch API</title>
<link rel="icon" href="docs/favicon.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="manual"><noscript>Without JavaScript: <a href="openapi.json">openapi.json</a></noscript></div>
<script src="docs/swagger-ui.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
START = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#manual",
  deepLinking: true,
  validatorUrl: null
});
"""


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is served: plain, and compressed for clients that take gzip."""

    content: bytes
    compressed: bytes
    media_type: str
    etag: str


@dataclass(frozen=True, slots=True)
class _Source:
    """The source of a file."""

    media_type: str
    read: Callable[[], bytes]


def _packaged(name: str) -> Callable[[], bytes]:
    return (files(PACKAGE) / name).read_bytes


SOURCES: Mapping[str, _Source] = {
    "swagger-ui.js": _Source("text/javascript; charset=utf-8", _packaged("swagger-ui-bundle.js")),
    "swagger-ui.css": _Source("text/css; charset=utf-8", _packaged("swagger-ui.css")),
    "favicon.png": _Source("image/png", _packaged("favicon-32x32.png")),
    "start.js": _Source("text/javascript; charset=utf-8", START.encode),
}


def static_file(name: str) -> StaticFile | None:
    """Return a file by its name; ``None`` if there is none."""
    source = SOURCES.get(name)
    return None if source is None else _read(source)


@cache
def _read(source: _Source) -> StaticFile:
    """Read and compress a file once. It is cached by source, not by name: clients can make up any number of names."""
    content = source.read()
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return StaticFile(content, gzip.compress(content, mtime=0), source.media_type, etag)
