"""Values for a schema of the OpenAPI document: one of each field, none of them null, no two the same."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True)
class Samples:
    """A source of values; each text and number is another one, so that a field that was mixed up is seen."""

    document: Json
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def resolve(self, schema: Json) -> Json:
        """Return a schema without its reference, and without its null."""
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                return self.resolve(next(one for one in schema[keyword] if one.get("type") != "null"))
        return schema

    def of(self, schema: Json) -> Any:  # noqa: ANN401  # JSON
        """Return a value that the schema allows."""
        schema = self.resolve(schema)
        if "const" in schema or "enum" in schema:
            return schema.get("const", schema.get("enum", [None])[0])
        match schema.get("type"):
            case "object":
                return self._object(schema)
            case "array":
                return [self.of(one) for one in schema.get("prefixItems") or [schema["items"]]]
            case "string":
                return self._text(schema)
            case "integer" | "number" as kind:
                return next(self.numbers) + (0.5 if kind == "number" else 0)
            case "boolean":
                return True
        raise AssertionError(f"no value for {schema}")

    def _object(self, schema: Json) -> Json:
        if "properties" in schema:
            return {name: self.of(one) for name, one in schema["properties"].items()}
        others = schema.get("additionalProperties")
        names = schema.get("propertyNames")
        name = self.of(names) if names else f"key{next(self.numbers)}"
        return {name: self.of(others) if isinstance(others, dict) else f"value{next(self.numbers)}"}

    def _text(self, schema: Json) -> str:
        number = next(self.numbers)
        match schema.get("format"):
            case "uuid":
                return f"01934f6e-7a3c-7b1e-8f00-{number:012d}"
            case "date-time":
                return f"2026-06-01T08:{number // 60 % 60:02d}:{number % 60:02d}Z"
            case "date":
                return f"2026-06-{number % 28 + 1:02d}"
        return f"text{number}"
