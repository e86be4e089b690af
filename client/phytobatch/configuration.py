"""The address of the server, and the key.

There is no option that takes the key itself: arguments of a process can be read by every user of the machine, and
shells write them into their history. The key comes from the environment or from a file.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from urllib.parse import urlsplit

from phytobatch.errors import ConfigurationError
from phytobatch.text import decoded

URL_VARIABLE = "PHYTOBATCH_URL"
AUTHORITIES_VARIABLE = "SSL_CERT_FILE"
KEY_VARIABLE = "PHYTOBATCH_API_KEY"
DEFAULT_URL = "http://127.0.0.1:8000"
_KEY_PATTERN = re.compile(r"[\x21-\x7e]{1,512}")


def base_url(url: str | None = None, environment: Mapping[str, str] = os.environ) -> str:
    """Return the address of the server, without a slash at its end.

    Raises:
        ConfigurationError: it is no http or https address, or has a user name, a query or a fragment in it.
    """
    url = (url or environment.get(URL_VARIABLE, "")).strip() or DEFAULT_URL
    try:
        parts = urlsplit(url)
        understood = (
            parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and parts.port != 0
            and url.isprintable()
            and " " not in url
        )
    except ValueError:  # brackets without an address between them, or a port that is none
        understood = False
    if not understood:
        raise ConfigurationError(f"{url!r} is no address of a server; give one like https://phytobatch.example.org.")
    if parts.username or parts.query or parts.fragment:
        raise ConfigurationError("The server's address must have no user name, query or fragment in it.")
    return url.rstrip("/")


def api_key(key_file: Path | None = None, environment: Mapping[str, str] = os.environ) -> str:
    """Read the API key: from ``key_file`` where given, else from ``PHYTOBATCH_API_KEY``.

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


def check_authorities(environment: MutableMapping[str, str] = os.environ) -> None:
    """Return when ``SSL_CERT_FILE``, where it is set, holds certificates: a file that does not would trust nobody.

    An empty variable is taken out, because to OpenSSL it is a file without a name.

    Raises:
        ConfigurationError: it names a file that cannot be read, or that holds no certificate.
    """
    path = environment.get(AUTHORITIES_VARIABLE)
    if path is None:
        return
    if not path.strip():
        del environment[AUTHORITIES_VARIABLE]
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except OSError as error:  # ssl.SSLError is one
        reason = "it holds no certificate in PEM" if isinstance(error, ssl.SSLError) else error.strerror or str(error)
        raise ConfigurationError(f"{AUTHORITIES_VARIABLE} names {path}, which cannot be used: {reason}.") from None


def _read(path: Path) -> str:
    try:
        return decoded(path.read_bytes()).strip()
    except OSError as error:
        raise ConfigurationError(f"The key file {path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"The key file {path} is no text in UTF-8; save it again as UTF-8.") from error
