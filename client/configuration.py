"""Where the server is and which key to use.

There is no option that takes the key itself: arguments of a process can be read by every user of the machine, and
shells write them into their history. The key comes from the environment or from a file.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from client.errors import ConfigurationError
from client.text import decoded

URL_VARIABLE = "PHYTOBATCH_URL"
KEY_VARIABLE = "PHYTOBATCH_API_KEY"
DEFAULT_URL = "http://127.0.0.1:8000"
_KEY_PATTERN = re.compile(r"[\x21-\x7e]{1,512}")


def base_url(given: str | None = None, environment: Mapping[str, str] = os.environ) -> str:
    """The address of the server, without a slash at its end.

    Raises:
        ConfigurationError: it is no http or https address, or has a user name, a query or a fragment in it.
    """
    url = (given or environment.get(URL_VARIABLE) or DEFAULT_URL).strip()
    try:
        parts = urlsplit(url)
        understood = (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and url.isprintable()
        )
    except ValueError:  # brackets without an address between them, or a port that is none
        understood = False
    if not understood:
        raise ConfigurationError(f"{url!r} is no address of a server; give one like https://phytobatch.example.org.")
    if parts.username or parts.query or parts.fragment:
        raise ConfigurationError("The server's address must have no user name, query or fragment in it.")
    return url.rstrip("/")


def api_key(key_file: Path | None = None, environment: Mapping[str, str] = os.environ) -> str:
    """The API key: from ``key_file`` where given, else from ``PHYTOBATCH_API_KEY``.

    Raises:
        ConfigurationError: there is none, or it has characters that no key has. The message never contains it.
    """
    key = _read(key_file) if key_file is not None else environment.get(KEY_VARIABLE, "").strip()
    if not key:
        raise ConfigurationError(f"There is no API key: set {KEY_VARIABLE}, or give --key-file FILE.")
    if not _KEY_PATTERN.fullmatch(key):
        where = str(key_file) if key_file is not None else KEY_VARIABLE
        raise ConfigurationError(f"{where} does not hold an API key: one line like pb_… is expected.")
    return key


def _read(path: Path) -> str:
    try:
        return decoded(path.read_bytes()).strip()
    except OSError as error:
        raise ConfigurationError(f"The key file {path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"The key file {path} is no text in UTF-8; save it again as UTF-8.") from error
