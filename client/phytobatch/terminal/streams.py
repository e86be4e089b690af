"""A stream that nobody reads any more."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TextIO


def let_go(stream: TextIO) -> None:
    """Redirect a stream that nobody reads to nowhere, so that Python prints no error at its end."""
    with suppress(OSError, ValueError):  # a stream without a file, as in a test
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
