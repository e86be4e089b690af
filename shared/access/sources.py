"""The places that a tenant may import from."""

from collections.abc import Iterable

from shared.contracts.source import S3Prefix
from shared.errors import Forbidden, InvalidRequest

SCHEME = "s3://"


class SourceNotAllowed(Forbidden):
    """The source lies outside of the tenant's list."""

    code = "source-not-allowed"


def parse_allowed(uri: str) -> tuple[str, str]:
    """Return bucket and prefix of a line of an allow-list: ``s3://bucket`` or ``s3://bucket/prefix``.

    The prefix ends with a slash or is empty, so that ``farm1`` never allows ``farm10``.

    Raises:
        InvalidRequest: it is no such address.
    """
    bucket, _, prefix = uri.removeprefix(SCHEME).partition("/")
    if not uri.startswith(SCHEME) or not bucket:
        raise InvalidRequest(f"a source is written as s3://bucket or s3://bucket/prefix, not {uri!r}")
    folder = prefix.strip("/")
    return bucket, f"{folder}/" if folder else ""


def check_source(wanted: S3Prefix, allowed: Iterable[str], *, upload_bucket: str) -> None:
    """Return if this tenant may import from there.

    Args:
        wanted: where the images of the new job are.
        allowed: the tenant's list.
        upload_bucket: our own bucket, in which the uploads of every tenant lie; it is never a source.

    Raises:
        SourceNotAllowed: outside of the list.
    """
    if wanted.bucket != upload_bucket and not _has_dots(wanted.prefix):
        for bucket, folder in map(parse_allowed, allowed):
            if wanted.bucket == bucket and wanted.prefix.startswith(folder):
                return
    raise SourceNotAllowed(
        f"{wanted.uri} is not on the list of this tenant's sources; a prefix must lie inside an allowed folder and, "
        "for a whole folder, end with `/`. The operator adds sources with `python -m api.admin allow-s3`"
    )


def _has_dots(prefix: str) -> bool:
    """S3 has no ``..``; some servers keep objects as files and have it."""
    return any(part in {".", ".."} for part in prefix.split("/"))
