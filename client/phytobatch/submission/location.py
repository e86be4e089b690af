"""Path of the journal of a submission."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_VISIBLE_KEY_CHARACTERS = 15  # "pb_" and the twelve that are no secret: they name the key in lists and logs.


def default_state_dir(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Return the folder for state: XDG base directories, ``%LOCALAPPDATA%`` on Windows, the library folder of macOS."""
    home = Path.home()
    if environment.get("XDG_STATE_HOME"):
        return Path(environment["XDG_STATE_HOME"]) / "phytobatch"
    if platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local") / "phytobatch" / "state"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "phytobatch"
    return home / ".local" / "state" / "phytobatch"


def journal_path(state_dir: Path, *, url: str, api_key: str, paths: Sequence[Path]) -> Path:
    """Return one path for each server, tenant and set of folders; the name is a digest and tells nothing of the key."""
    folders = sorted(str(path.absolute()) for path in paths)
    identity = json.dumps([url, api_key[:_VISIBLE_KEY_CHARACTERS], folders])
    return state_dir / f"{hashlib.sha256(identity.encode()).hexdigest()[:32]}.journal"
