"""Secrets that can be guessed, and addresses to which they would travel unencrypted."""

from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from api.admin.doctor.finding import Check, Finding, fail, ok, warn
from api.admin.doctor.subject import Subject
from shared.settings import Settings

# What documentation, images and tutorials of these servers use.
KNOWN = frozenset(
    {"admin", "changeme", "example", "minio", "minioadmin", "minio123", "password", "phytobatch", "postgres"}
    | {"redis", "root", "secret", "seaweedfs", "test", "valkey", "weed", "12345678", "123456", "any", "any_secret"}
)
SHORTEST = 16
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
NEW_ONE = "make a random one (openssl rand -hex 24) and rotate it; docs/maintenance.md, Keys and passwords"


def _secrets(settings: Settings) -> Iterator[tuple[str, str | None]]:
    """Return each variable and its secret; ``None``: it has none."""
    for name in ("database_url", "redis_url"):
        password = urlsplit(getattr(settings, name).get_secret_value()).password
        yield f"PHYTOBATCH_{name.upper()}", None if password is None else unquote(password)
    if settings.s3_secret_access_key is not None:
        yield "PHYTOBATCH_S3_SECRET_ACCESS_KEY", settings.s3_secret_access_key.get_secret_value()


def strength_of_secrets(subject: Subject) -> Iterator[Finding]:
    """Check for secrets that everybody tries; the settings refuse those of ``.env.example`` themselves."""
    weak = False
    for variable, secret in _secrets(subject.settings):
        if secret is None:
            weak = True
            yield warn(variable, "has no password", f"let that server ask for one; {NEW_ONE}")
        elif secret.lower() in KNOWN:
            weak = True
            yield fail(variable, "has a password that everybody tries first", NEW_ONE)
        elif len(secret) < SHORTEST:
            weak = True
            yield warn(variable, f"has a password of {len(secret)} characters", NEW_ONE)
    if not weak:
        yield ok("secrets", "no password is short or well known")


def addresses(subject: Subject) -> Iterator[Finding]:
    """Check that clients reach by TLS whatever lies behind other people's networks."""
    settings = subject.settings
    public = {
        "PHYTOBATCH_PUBLIC_URL": settings.public_url,
        "PHYTOBATCH_S3_PUBLIC_ENDPOINT_URL": settings.presign_endpoint_url,
    }
    for variable, url in public.items():
        parts = urlsplit(url or "")
        if parts.scheme == "http" and parts.hostname not in LOCAL:
            yield warn(
                variable, f"clients are sent to {url}, without TLS", "put a proxy with TLS before it and use https"
            )
    if settings.public_url is None:
        yield warn("PHYTOBATCH_PUBLIC_URL", "is empty: links in webhooks are paths", "set the address of the API")


CHECKS: tuple[Check, ...] = (strength_of_secrets, addresses)
