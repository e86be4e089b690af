"""Broken files, as real uploads contain them: pictures cut off, and web pages that a browser saved as .jpg."""

import io
from collections.abc import Callable

from PIL import Image

HTML = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>\n"


def truncated(picture: Image.Image) -> bytes:
    """Return the first 60 hundredths of a JPEG."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=85)
    data = buffer.getvalue()
    return data[: len(data) * 6 // 10]


def html(_picture: Image.Image) -> bytes:
    """Return an error page of a web server."""
    return HTML


BROKEN: tuple[tuple[str, Callable[[Image.Image], bytes]], ...] = (("truncated", truncated), ("html", html))
