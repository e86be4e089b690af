"""Environment variables that are set and empty, as Compose, Helm and shells hand them over: they count as absent.

To libraries they do not: an empty ``AWS_CA_BUNDLE`` stops boto3 (older versions verified nothing then), with an empty
``SSL_CERT_FILE`` no certificate is trusted, and boto3 requests keys from an empty
``AWS_CONTAINER_CREDENTIALS_RELATIVE_URI``. So they are removed from the environment of the process before it is read.
"""

from collections.abc import Mapping, MutableMapping
from pathlib import Path

from shared.addresses.parts import AddressError, check_authorities

# Ours, and those of the libraries that speak to servers. Not all: an empty CUDA_VISIBLE_DEVICES says "no GPU".
PREFIXES = ("PHYTOBATCH_", "AWS_", "OTEL_", "PG", "SSL_CERT_", "PILLOW_", "MALLOC_")
NAMES = frozenset(
    {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}
    | {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}
)
# Files or folders with certificates of authorities, by which library takes which.
AUTHORITIES = (
    "SSL_CERT_FILE",
    "AWS_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
)


def forget_empty(environment: MutableMapping[str, str]) -> None:
    """Remove the variables of servers that are empty or blank."""
    for name in [name for name, value in environment.items() if not value.strip()]:
        if name.startswith(PREFIXES) or name in NAMES:
            del environment[name]


def unreadable_authorities(environment: Mapping[str, str]) -> list[str]:
    """List a sentence for each variable that names an unusable file of certificates: every connection would fail."""
    wrong = []
    for name in AUTHORITIES:
        path = environment.get(name)
        if path is None or Path(path).is_dir():
            continue
        try:
            check_authorities(name, path)
        except AddressError as error:
            wrong.append(f"{name}: {error}")
    return wrong
