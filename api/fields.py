"""Kinds of fields that several requests have: text that Postgres can store, bounded JSON, references to classifiers."""

import json
import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from shared.contracts.manifest import ClassifierName, ClassifierVersion
from shared.webhooks.urls import MAX_URL_LENGTH

NAME_LENGTH = 512
IMAGE_METADATA_BYTES = 4 * 1024
JOB_METADATA_BYTES = 16 * 1024
# An escaped U+0000 in JSON: after an even number of backslashes, because an odd one escapes the next.
ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
# How a time of RFC 3339 begins; the rest is pydantic's.
DATE_AND_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]")


def no_nul(value: str) -> str:
    """PostgreSQL stores every character but U+0000.

    Raises:
        ValueError: the text contains it.
    """
    if "\0" in value:
        msg = "must not contain the character U+0000"
        raise ValueError(msg)
    return value


def _text_of_a_time(value: object) -> object:
    """A number, also one that is text, would be read as seconds, or as milliseconds when it is large."""
    if not isinstance(value, str) or not DATE_AND_TIME.match(value):
        msg = "must be a time as text, as 2026-06-01T08:00:00Z"
        raise ValueError(msg)
    return value


def bounded_json(limit: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A validator of JSON objects that can be stored, with at most ``limit`` bytes as UTF-8."""

    def check(value: dict[str, Any]) -> dict[str, Any]:
        try:
            encoded = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        except (ValueError, RecursionError) as error:  # NaN, infinity, half of a surrogate pair, or too deep
            msg = "must be JSON: finite numbers, whole characters, and not nested too deep"
            raise ValueError(msg) from error
        if ESCAPED_NUL.search(encoded):
            msg = "must not contain the character U+0000"
            raise ValueError(msg)
        if len(encoded) > limit:
            msg = f"must have at most {limit} bytes as JSON, has {len(encoded)}"
            raise ValueError(msg)
        return value

    return check


Moment = Annotated[AwareDatetime, BeforeValidator(_text_of_a_time)]
Text = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH), AfterValidator(no_nul)]
# Its form alone; where it may lead is the operator's to say (``shared.webhooks.urls.Policy``).
WebhookUrl = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_URL_LENGTH,
        description="Where events are sent to, by https.",
        examples=["https://farm.example.org/hooks"],
    ),
    AfterValidator(no_nul),
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
