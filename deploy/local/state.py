"""The state that a data folder keeps between two starts: ports, secrets, and places outside the folder.

One JSON file with mode 0600, written whole and renamed, so that a killed start never leaves half of it.
"""

import json
import os
import secrets
import string
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from deploy.local.errors import FolderRefused

ALPHANUMERIC = string.ascii_letters + string.digits
Value = TypeVar("Value", int, str)
SECRET_LENGTH = 32
API_KEY_ID_LENGTH = 12
API_KEY_SECRET_LENGTH = 43


def random_text(length: int, alphabet: str = ALPHANUMERIC) -> str:
    """Return ``length`` random characters, good for a password."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


def new_secret() -> str:
    """Make a password of letters and digits (190 bits), which needs no quoting in URLs and configuration files."""
    return random_text(SECRET_LENGTH)


def new_api_key() -> str:
    """Make a development API key: ``pb_`` + 12 of ``[a-z0-9]`` + ``_`` + 43 of ``[A-Za-z0-9]``."""
    key_id = random_text(API_KEY_ID_LENGTH, string.ascii_lowercase + string.digits)
    return f"pb_{key_id}_{random_text(API_KEY_SECRET_LENGTH)}"


class StackState:
    """The remembered values of one data folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()  # the servers start side by side
        self._values: dict[str, dict[str, Any]] = {"ports": {}, "secrets": {}, "places": {}}
        if path.exists():
            self._values.update(self._read())

    def port(self, name: str, choose: Callable[[], int], usable: Callable[[int], bool]) -> int:
        """Return the remembered port of ``name``; choose and remember another one if it is missing or taken."""
        with self._lock:
            known = self._values["ports"].get(name)
            if isinstance(known, int) and usable(known):
                return known
            return self._keep("ports", name, choose())

    def secret(self, name: str, make: Callable[[], str] = new_secret) -> str:
        """Return the remembered secret of ``name``, made at the first call."""
        with self._lock:
            known = self._values["secrets"].get(name)
            return known if isinstance(known, str) else self._keep("secrets", name, make())

    def known_secret(self, name: str) -> str | None:
        """Return the secret of ``name`` if there is one."""
        known = self._values["secrets"].get(name)
        return known if isinstance(known, str) else None

    def place(self, name: str) -> Path | None:
        """Return a remembered folder outside the data folder."""
        known = self._values["places"].get(name)
        return Path(known) if isinstance(known, str) else None

    def keep_place(self, name: str, folder: Path) -> None:
        """Remember a folder outside the data folder, so that ``clean`` finds it."""
        self._keep("places", name, str(folder))

    @property
    def places(self) -> list[Path]:
        """Every remembered folder outside the data folder."""
        return [Path(place) for place in self._values["places"].values()]

    def _keep(self, kind: str, name: str, value: Value) -> Value:
        with self._lock:
            self._values[kind][name] = value
            self._write()
        return value

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            values = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise FolderRefused(
                f"{self.path} cannot be read ({error}); without it the servers' passwords are lost: "
                "restore it, or start anew after python -m deploy.local clean"
            ) from error
        if not isinstance(values, dict) or not all(isinstance(part, dict) for part in values.values()):
            raise FolderRefused(f"{self.path} is not what was written there; restore it, or clean the data folder")
        return values

    def _write(self) -> None:
        new = self.path.with_suffix(".new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            json.dump(self._values, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)
