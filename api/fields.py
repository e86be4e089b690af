"""Kinds of fields that several requests have: moments, bounded JSON, references to classifiers."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from shared.contracts import stored
from shared.contracts.manifest import ClassifierName, ClassifierVersion
from shared.contracts.metadata import IMAGE_METADATA_BYTES, JOB_METADATA_BYTES, bounded_json
from shared.webhooks.urls import MAX_URL_LENGTH

# How a time of RFC 3339 begins; the rest is pydantic's.
DATE_AND_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]")


def _text_of_a_time(value: object) -> object:
    """A number, also one that is text, would be read as seconds, or as milliseconds when it is large."""
    if not isinstance(value, str) or not DATE_AND_TIME.match(value):
        msg = "must be a time as text, as 2026-06-01T08:00:00Z"
        raise ValueError(msg)
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_text_of_a_time), AfterValidator(stored.moment)]
# Its form alone; where it may lead is the operator's to say (``shared.webhooks.urls.Policy``).
WebhookUrl = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_URL_LENGTH,
        description="Where events are sent to, by https.",
        examples=["https://farm.example.org/hooks"],
    ),
    AfterValidator(stored.text),
]
JobMetadata = Annotated[dict[str, Any], AfterValidator(bounded_json(JOB_METADATA_BYTES))]
ImageMetadata = Annotated[dict[str, Any], AfterValidator(bounded_json(IMAGE_METADATA_BYTES))]


class RequestBody(BaseModel):
    """Unknown fields are an error: a misspelled one would be lost without a word."""

    model_config = ConfigDict(extra="forbid")


class ClassifierRef(RequestBody):
    """A classifier by name, and by version where one is wanted; otherwise the newest."""

    name: ClassifierName
    version: ClassifierVersion | None = None


# In query strings and forms: ``name`` or ``name@version``.
ClassifierText = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9._-]{0,63}(@[A-Za-z0-9][A-Za-z0-9._-]{0,31})?$",
        description="`name` or `name@version`.",
        examples=["leaf@1"],
    ),
]


def classifier_ref(value: str) -> ClassifierRef:
    """From ``name`` or ``name@version``, which the pattern has checked."""
    name, _, version = value.partition("@")
    return ClassifierRef(name=name, version=version or None)
