"""Names of images, and names of hidden and system files.

The rule of the server, which the client cannot import: `shared/contracts/file_names.py`; a test compares the two files.
"""

from __future__ import annotations

import re

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".mpo", ".png", ".tif", ".tiff", ".webp", ".bmp"})
# What systems keep beside the files of people, in small letters. Whatever begins with a dot is hidden as well:
# `._x` and `.Trashes` of macOS, `.thumbnails`, `.@__thumb` of QNAP, `.dtrash`, `.picasaoriginals`, `.stversions`.
SYSTEM_NAMES = frozenset(
    {
        # macOS, and file servers for it
        "__macosx", "network trash folder", "temporary items", "thevolumesettingsfolder",
        # Windows
        "$recycle.bin", "recycler", "recycled", "system volume information", "thumbs.db", "ehthumbs.db", "desktop.ini",
        # network storage: Synology, QNAP, NetApp
        "@eadir", "@tmp", "@sharebin", "@sharesnap", "@recycle", "@recently-snapshot", "@__thumb", "#recycle",
        "#snapshot", "~snapshot",
        # file systems, Android, backup programs
        "lost+found", "lost.dir", "_gsdata_",
    }
)  # fmt: skip
# Netatalk writes a dot in front as `:2e`; the previews of a Lightroom catalogue lie in folders that end so.
HIDDEN_BEGINNINGS = (".", ":2e")
SYSTEM_ENDINGS = (".lrdata",)
SEPARATORS = re.compile(r"[/\\]")


def is_image_name(name: str) -> bool:
    """Return True if the name of a file ends like that of an image, in upper or lower case."""
    stem, dot, suffix = name.rpartition(".")
    return bool(stem) and f"{dot}{suffix.lower()}" in IMAGE_SUFFIXES


def is_system_name(name: str) -> bool:
    """Return True if the name of a file or a folder, without its path, is that of a hidden or a system one."""
    small = name.lower()
    return small.startswith(HIDDEN_BEGINNINGS) or small.endswith(SYSTEM_ENDINGS) or small in SYSTEM_NAMES


def is_system_path(path: str) -> bool:
    """Return True if a file is hidden or the system's, or lies in such a folder."""
    return any(is_system_name(part) for part in SEPARATORS.split(path))
