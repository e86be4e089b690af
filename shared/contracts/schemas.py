"""The JSON schemas of fields, where they say more or less than the types of Python."""

from typing import Any


def without_default(schema: dict[str, Any]) -> None:
    """Take the default out of a field's schema: openapi-typescript asks for each field that has one.

    Programs that were written before the field would no longer compile with newly generated types.
    """
    schema.pop("default", None)
