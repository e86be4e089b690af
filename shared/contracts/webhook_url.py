"""The form of a URL for events; its allowed targets are settings of the operator (``shared.webhooks.urls``)."""

from typing import Annotated

from pydantic import AfterValidator, Field

from shared.contracts import stored

MAX_URL_LENGTH = 2000
WebhookUrl = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_URL_LENGTH,
        description="URL that receives events, by https.",
        examples=["https://farm.example.org/hooks"],
    ),
    AfterValidator(stored.text),
]
