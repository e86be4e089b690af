"""The choice of a format: ``?format=`` first, then ``Accept`` (RFC 9110, section 12.5.1)."""

from collections.abc import Iterator
from email.message import Message

from shared.contracts.exports import ExportContent, ExportFormat
from shared.errors import NotAcceptable
from shared.exports.contents import CONTENTS, check_format
from shared.exports.format import Format
from shared.exports.formats import FORMATS

ANYTHING = "*/*"


def choose(content: ExportContent, named: ExportFormat | None, accept: str | None) -> Format:
    """Return the format that the client names, or prefers; if it takes anything, the first that can hold the content.

    Raises:
        NotAcceptable: it takes none of ours.
        InvalidRequest: the one that it names cannot hold the content.
    """
    able = [FORMATS[name] for name in CONTENTS[content].formats]
    if named is not None:
        check_format(content, named)
        return FORMATS[named]
    for media_type in _by_preference(accept or ANYTHING):
        if media_type in {ANYTHING, "text/*"}:
            return able[0]
        for one in able:
            if media_type in {one.media_type.partition(";")[0], *one.accepts}:
                return one
    kinds = ", ".join(f"{one.name} ({one.media_type.partition(';')[0]})" for one in able)
    raise NotAcceptable(
        f"there is no export of {content} as {accept!r}; say `?format=` or `Accept:` with one of: {kinds}"
    )


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
