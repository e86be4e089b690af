"""The choice of a format: ``?format=`` first, then ``Accept`` (RFC 9110, section 12.5.1)."""

from collections.abc import Iterator
from email.message import Message

from shared.contracts.exports import ExportFormat
from shared.errors import NotAcceptable
from shared.exports.format import Format
from shared.exports.formats import FORMATS

DEFAULT = ExportFormat.CSV
ANYTHING = "*/*"


def choose(named: ExportFormat | None, accept: str | None) -> Format:
    """Return the format that the client names, or prefers; CSV if it takes anything.

    Raises:
        NotAcceptable: it takes none of ours.
    """
    if named is not None:
        return FORMATS[named]
    for media_type in _by_preference(accept or ANYTHING):
        if media_type in {ANYTHING, "text/*"}:
            return FORMATS[DEFAULT]
        for one in FORMATS.values():
            if media_type in {one.media_type.partition(";")[0], *one.accepts}:
                return one
    kinds = ", ".join(f"{one.name} ({one.media_type.partition(';')[0]})" for one in FORMATS.values())
    raise NotAcceptable(f"there is no export as {accept!r}; say `?format=` or `Accept:` with one of: {kinds}")


def _by_preference(accept: str) -> Iterator[str]:
    """Order media types, without their parameters, by preference; equals in the order of the client."""
    weighed = [_weighed(entry) for entry in accept.split(",")]
    ranked = sorted(weighed, key=lambda pair: -pair[1])
    return (media_type for media_type, weight in ranked if weight > 0)


def _weighed(entry: str) -> tuple[str, float]:
    message = Message()
    message["Content-Type"] = entry.strip()
    weight = message.get_param("q", "1")
    try:
        return entry.partition(";")[0].strip().lower(), float(str(weight))
    except ValueError:
        return "", 0.0
