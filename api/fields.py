"""Kinds of fields that several requests have: moments, bounded JSON."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict

from shared.contracts import stored
from shared.contracts.metadata import IMAGE_METADATA_BYTES, bounded_json

# How a time of RFC 3339 begins; the rest is pydantic's.
DATE_AND_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]")


def _text_of_a_time(value: object) -> object:
    """Refuse a number, also one as text: pydantic would read it as seconds, or as milliseconds if it is large."""
    if not isinstance(value, str) or not DATE_AND_TIME.match(value):
        msg = "must be a time as text, as 2026-06-01T08:00:00Z"
        raise ValueError(msg)
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_text_of_a_time), AfterValidator(stored.moment)]
ImageMetadata = Annotated[dict[str, Any], AfterValidator(bounded_json(IMAGE_METADATA_BYTES))]


class RequestBody(BaseModel):
    """A body whose unknown fields are errors: a misspelled one would be lost without a word."""

    model_config = ConfigDict(extra="forbid")
