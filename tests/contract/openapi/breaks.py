"""Changes of an OpenAPI document that break its clients: a pure comparison of an older document with a newer one.

A request must go on to be accepted, and an answer must be one that the older document allows. Both are the same
question: is everything that one schema allows allowed by the other? For requests the newer one has to be as wide as the
older, for answers the older one as wide as the newer.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# A bound, and the sign by which a larger number is a wider bound.
BOUNDS: Mapping[str, int] = {
    "minimum": -1,
    "exclusiveMinimum": -1,
    "minLength": -1,
    "minItems": -1,
    "minProperties": -1,
    "maximum": 1,
    "exclusiveMaximum": 1,
    "maxLength": 1,
    "maxItems": 1,
    "maxProperties": 1,
}
# Keywords that say nothing of which values are allowed.
SILENT = frozenset({"title", "description", "examples", "deprecated", "discriminator"})
COMPARED = frozenset(
    {
        "$ref", "anyOf", "oneOf", "type", "format", "pattern", "enum", "const", "default", "properties", "required",
        "additionalProperties", "propertyNames", "items", "prefixItems", "uniqueItems", *BOUNDS,
    }
)  # fmt: skip
ALSO = {"integer": "number"}  # Every integer is a number.


@dataclass(frozen=True, slots=True)
class Break:
    """One thing that a client of the older document may stumble over."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def find_breaks(old: Json, new: Json, *, announced: Collection[str] = ()) -> list[Break]:
    """List what of ``old`` is removed, retyped or made required in ``new``.

    Args:
        old: the document that clients were written by.
        new: the document of today.
        announced: words that enumerations of answers may have gained, because the CHANGELOG named them before.
    """
    return list(_Comparison(old, new, frozenset(announced)).operations())


def unknown_keywords(document: Json) -> set[str]:
    """Return the keywords of schemas that the comparison would pass over in silence."""
    found = set[str]()
    queue: list[Any] = [*document["components"]["schemas"].values()]
    for methods in document["paths"].values():
        for operation in methods.values():
            queue += [parameter["schema"] for parameter in operation.get("parameters", ())]
            queue += [content["schema"] for content in operation.get("requestBody", {}).get("content", {}).values()]
            for response in operation["responses"].values():
                queue += [content["schema"] for content in response.get("content", {}).values()]
    while queue:
        schema = queue.pop()
        if not isinstance(schema, dict):
            continue
        found |= set(schema) - SILENT - COMPARED
        queue += schema.get("properties", {}).values()
        queue += [*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("prefixItems", ())]
        queue += [schema.get("items"), schema.get("additionalProperties"), schema.get("propertyNames")]
    return found


@dataclass(slots=True)
class _Comparison:
    old: Json
    new: Json
    announced: frozenset[str]
    # Pairs of references that are being compared, or were: schemas may refer to themselves.
    seen: set[tuple[str, str, bool]] = field(default_factory=set)

    def operations(self) -> Iterator[Break]:
        for path, methods in self.old["paths"].items():
            for method in (one for one in METHODS if one in methods):
                where = f"{method.upper()} {path}"
                now = self.new["paths"].get(path, {}).get(method)
                if now is None:
                    yield Break(where, "the operation is removed")
                else:
                    yield from self._operation(where, methods[method], now)

    def _operation(self, where: str, before: Json, now: Json) -> Iterator[Break]:
        if before["operationId"] != now["operationId"]:
            yield Break(where, f"operationId {before['operationId']} is now {now['operationId']}")
        if now.get("security") and not before.get("security"):
            yield Break(where, "it needs a key now")
        yield from self._parameters(where, _parameters(before), _parameters(now))
        yield from self._request_body(f"{where} request", before.get("requestBody"), now.get("requestBody"))
        for status, response in before["responses"].items():
            if status not in now["responses"]:
                yield Break(f"{where} {status}", "the answer is removed")
                continue
            contents = response.get("content", {}), now["responses"][status].get("content", {})
            yield from self._contents(f"{where} {status}", *contents, is_request=False)

    def _parameters(
        self, where: str, before: Mapping[tuple[str, str], Json], now: Mapping[tuple[str, str], Json]
    ) -> Iterator[Break]:
        for key, parameter in before.items():
            place = f"{where} {key[0]}.{key[1]}"
            if key not in now:
                yield Break(place, "the parameter is removed")
                continue
            if now[key].get("required") and not parameter.get("required"):
                yield Break(place, "it is required now")
            yield from self._schemas(place, parameter["schema"], now[key]["schema"], is_request=True)
        for key in now.keys() - before.keys():
            if now[key].get("required"):
                yield Break(f"{where} {key[0]}.{key[1]}", "a new parameter is required")

    def _request_body(self, where: str, before: Json | None, now: Json | None) -> Iterator[Break]:
        if before is None:
            if now is not None and now.get("required"):
                yield Break(where, "a body is required now")
            return
        if now is None:
            yield Break(where, "the body is removed")
            return
        if now.get("required") and not before.get("required"):
            yield Break(where, "the body is required now")
        yield from self._contents(where, before["content"], now["content"], is_request=True)

    def _contents(self, where: str, before: Json, now: Json, *, is_request: bool) -> Iterator[Break]:
        for media_type, content in before.items():
            if media_type not in now:
                yield Break(where, f"{media_type} is removed")
            else:
                yield from self._schemas(where, content["schema"], now[media_type]["schema"], is_request=is_request)

    def _schemas(self, where: str, before: Any, now: Any, *, is_request: bool) -> Iterator[Break]:  # noqa: ANN401  # a schema, or a boolean
        """Compare two schemas: in a request ``now`` has to be the wider one, in an answer ``before``."""
        references = (_reference(before), _reference(now), is_request)
        if references[0] and references[1]:
            if references in self.seen:
                return
            self.seen.add(references)
        old_ones, new_ones = _alternatives(self.old, before), _alternatives(self.new, now)
        narrow, wide = (old_ones, new_ones) if is_request else (new_ones, old_ones)
        if len(old_ones) == len(new_ones) == 1:
            yield from self._alternative(where, old_ones[0], new_ones[0], is_request=is_request)
            return
        for one in narrow:
            tries = [
                list(self._alternative(where, *((one, other) if is_request else (other, one)), is_request=is_request))
                for other in wide
                if _kind(other) in {_kind(one), ALSO.get(_kind(one)), ""}
            ]
            if [] in tries:
                continue
            if tries:
                yield from min(tries, key=len)
            elif is_request:
                yield Break(where, f"{_kind(one)} is no longer taken")
            else:
                yield Break(where, f"it may be {_kind(one)} now")

    def _alternative(self, where: str, before: Json, now: Json, *, is_request: bool) -> Iterator[Break]:
        narrow, wide = (before, now) if is_request else (now, before)
        kinds = {narrow.get("type"), ALSO.get(str(narrow.get("type")))}
        if "type" in wide and wide["type"] not in kinds:
            yield Break(where, f"{before.get('type', 'anything')} is now {now.get('type', 'anything')}")
            return
        for keyword in ("format", "pattern"):
            if keyword in wide and wide[keyword] != narrow.get(keyword):
                yield Break(where, f"{keyword} {before.get(keyword)!r} is now {now.get(keyword)!r}")
        yield from self._words(where, before, now, is_request=is_request)
        for keyword, sign in BOUNDS.items():
            if keyword in wide and (keyword not in narrow or sign * narrow[keyword] > sign * wide[keyword]):
                yield Break(where, f"{keyword} {before.get(keyword)} is now {now.get(keyword)}")
        if wide.get("uniqueItems") and not narrow.get("uniqueItems"):
            yield Break(where, "items must differ now" if is_request else "items may be equal now")
        if is_request and "default" in before and before["default"] != now.get("default"):
            yield Break(where, f"the default {before['default']!r} is now {now.get('default')!r}")
        yield from self._fields(where, before, now, is_request=is_request)
        yield from self._items(where, before, now, is_request=is_request)

    def _words(self, where: str, before: Json, now: Json, *, is_request: bool) -> Iterator[Break]:
        old_words, new_words = _enumeration(before), _enumeration(now)
        if is_request:
            if new_words is not None and old_words is None:
                yield Break(where, f"it is one of {sorted(map(str, new_words))} now")
            elif new_words is not None and old_words is not None:
                for word in sorted(map(str, old_words - new_words)):
                    yield Break(where, f"the word {word!r} is removed")
        elif old_words is not None:
            if new_words is None:
                yield Break(where, "any word may come now")
                return
            for word in sorted(map(str, new_words - old_words - self.announced)):
                yield Break(where, f"the word {word!r} is new and was not announced")

    def _fields(self, where: str, before: Json, now: Json, *, is_request: bool) -> Iterator[Break]:
        old_fields, new_fields = before.get("properties", {}), now.get("properties", {})
        for name, schema in old_fields.items():
            place = f"{where}.{name}"
            if name not in new_fields:
                yield Break(place, "the field is removed")
            else:
                yield from self._schemas(place, schema, new_fields[name], is_request=is_request)
        old_required, new_required = set(before.get("required", ())), set(now.get("required", ()))
        if is_request:
            for name in sorted(new_required - old_required):
                yield Break(
                    f"{where}.{name}", "it is required now" if name in old_fields else "a new field is required"
                )
        else:
            for name in sorted((old_required - new_required) & set(new_fields)):
                yield Break(f"{where}.{name}", "it may be missing now")
        old_others, new_others = before.get("additionalProperties", True), now.get("additionalProperties", True)
        narrow, wide = (old_others, new_others) if is_request else (new_others, old_others)
        if isinstance(old_others, dict) and isinstance(new_others, dict):
            yield from self._schemas(f"{where}.*", old_others, new_others, is_request=is_request)
        elif wide is not True and narrow is not False:
            yield Break(f"{where}.*", "other fields are no longer taken" if is_request else "other fields may come now")
        if "propertyNames" in (now if is_request else before):
            names, new_names = before.get("propertyNames", {}), now.get("propertyNames", {})
            yield from self._schemas(f"{where} names", names, new_names, is_request=is_request)

    def _items(self, where: str, before: Json, now: Json, *, is_request: bool) -> Iterator[Break]:
        old_first, new_first = before.get("prefixItems", []), now.get("prefixItems", [])
        if len(old_first) != len(new_first):
            yield Break(where, f"{len(old_first)} items are now {len(new_first)}")
            return
        for place, (one, other) in enumerate(zip(old_first, new_first, strict=True)):
            yield from self._schemas(f"{where}[{place}]", one, other, is_request=is_request)
        if "items" in (now if is_request else before):
            yield from self._schemas(f"{where}[]", before.get("items", {}), now.get("items", {}), is_request=is_request)


def _parameters(operation: Json) -> dict[tuple[str, str], Json]:
    return {
        (one["in"], one["name"].lower() if one["in"] == "header" else one["name"]): one
        for one in operation.get("parameters", ())
    }


def _reference(schema: Any) -> str:  # noqa: ANN401  # a schema, or a boolean
    return str(schema.get("$ref", "")) if isinstance(schema, dict) else ""


def _alternatives(document: Json, schema: Any) -> list[Json]:  # noqa: ANN401  # as above
    """Return the schemas of which one has to fit, without references."""
    if not isinstance(schema, dict):
        return [{}]
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        return [{**one, **beside} for one in _alternatives(document, document["components"]["schemas"][name])]
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            beside = {key: value for key, value in schema.items() if key != keyword}
            return [{**beside, **one} for part in schema[keyword] for one in _alternatives(document, part)]
    if isinstance(schema.get("type"), list):
        return [{**schema, "type": one} for one in schema["type"]]
    return [schema]


def _kind(schema: Json) -> str:
    return str(schema.get("type", ""))


def _enumeration(schema: Json) -> set[Any] | None:
    if "const" in schema:
        return {schema["const"]}
    return set(schema["enum"]) if "enum" in schema else None
