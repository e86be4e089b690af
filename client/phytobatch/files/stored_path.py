"""The path of a folder as its disk has it, however a terminal writes it."""

from __future__ import annotations

import unicodedata
from pathlib import Path


def stored_path(text: str) -> Path:
    """Return the path in Unicode's normal form C where that leads to the same file, otherwise as it was given.

    macOS takes letters composed and decomposed for the same, and its terminals and its Finder give either: the journal
    of a submission that goes on is found, and no file is sent twice, whichever it was.
    """
    given, composed = Path(text), Path(unicodedata.normalize("NFC", text))
    try:
        return composed if composed.samefile(given) else given
    except (OSError, ValueError):
        return given
