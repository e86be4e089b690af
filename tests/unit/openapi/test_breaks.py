"""Each kind of break, and beside it the change that breaks nobody."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from tests.contract.openapi.breaks import find_breaks, unknown_keywords

Json = dict[str, Any]
Change = Callable[[Json], object]

DOCUMENT: Json = {
    "paths": {
        "/jobs": {
            "post": {
                "operationId": "create_job",
                "security": [{"ApiKey": []}],
                "parameters": [{"in": "header", "name": "Idempotency-Key", "schema": {"type": "string"}}],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CreateJob"}}},
                },
                "responses": {
                    "201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Job"}}}},
                    "409": {"content": {"application/problem+json": {"schema": {"type": "object"}}}},
                },
            },
            "get": {
                "operationId": "list_jobs",
                "parameters": [
                    {
                        "in": "query",
                        "name": "limit",
                        "required": False,
                        "schema": {"type": "integer", "maximum": 1000, "default": 100},
                    }
                ],
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {
                                "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Job"}}
                            }
                        }
                    }
                },
            },
        }
    },
    "components": {
        "schemas": {
            "CreateJob": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "name": {"anyOf": [{"type": "string", "maxLength": 512}, {"type": "null"}]},
                    "priority": {"type": "string", "enum": ["bulk", "interactive"]},
                    "size": {"type": "number"},
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "metadata": {"type": "object", "additionalProperties": True},
                },
                "required": ["priority"],
            },
            "Job": {
                "type": "object",
                "properties": {
                    "id": {"type": "string", "format": "uuid"},
                    "state": {"$ref": "#/components/schemas/State"},
                    "name": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    "percent": {"type": "number"},
                    "place": {"type": "array", "prefixItems": [{"type": "number"}, {"type": "number"}]},
                    "shares": {"type": "object", "additionalProperties": {"type": "number"}},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Job"}},
                    "note": {"type": "string"},
                },
                "required": ["id", "state", "name", "percent", "place", "shares", "parts"],
            },
            "State": {"type": "string", "enum": ["draft", "running"]},
        }
    },
}


def asked(document: Json) -> Json:
    found: Json = document["components"]["schemas"]["CreateJob"]
    return found


def told(document: Json) -> Json:
    found: Json = document["components"]["schemas"]["Job"]
    return found


def post(document: Json) -> Json:
    found: Json = document["paths"]["/jobs"]["post"]
    return found


def limit(document: Json) -> Json:
    found: Json = document["paths"]["/jobs"]["get"]["parameters"][0]
    return found


def put(target: Callable[[Json], Json], *path: str | int, to: object) -> Change:
    """Return a change that sets a value."""

    def change(document: Json) -> None:
        place: Any = target(document)
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = to

    return change


def drop(target: Callable[[Json], Json], *path: str) -> Change:
    """Return a change that removes a key."""

    def change(document: Json) -> None:
        place: Any = target(document)
        for part in path[:-1]:
            place = place[part]
        del place[path[-1]]

    return change


BREAKS: list[tuple[str, Change, str]] = [
    ("operation", lambda d: d["paths"]["/jobs"].pop("get"), "GET /jobs: the operation is removed"),
    ("path", lambda d: d["paths"].pop("/jobs"), "the operation is removed"),
    ("operationId", put(post, "operationId", to="make"), "operationId create_job is now make"),
    ("key", lambda d: d["paths"]["/jobs"]["get"].update(security=[{"ApiKey": []}]), "it needs a key now"),
    ("parameter", put(post, "parameters", to=[]), "header.idempotency-key: the parameter is removed"),
    ("parameter required", put(limit, "required", to=True), "query.limit: it is required now"),
    (
        "new parameter",
        lambda d: post(d)["parameters"].append(
            {"in": "query", "name": "zone", "required": True, "schema": {"type": "string"}}
        ),
        "query.zone: a new parameter is required",
    ),
    ("bound", put(limit, "schema", "maximum", to=500), "query.limit: maximum 1000 is now 500"),
    ("new bound", put(limit, "schema", "minimum", to=1), "query.limit: minimum None is now 1"),
    ("default", put(limit, "schema", "default", to=10), "the default 100 is now 10"),
    ("parameter's type", put(limit, "schema", "type", to="string"), "integer is now string"),
    ("body removed", drop(post, "requestBody"), "the body is removed"),
    (
        "body required",
        lambda d: d["paths"]["/jobs"]["get"].update(requestBody={"required": True, "content": {}}),
        "a body is required now",
    ),
    ("media type", drop(post, "requestBody", "content", "application/json"), "application/json is removed"),
    ("answer", drop(post, "responses", "201"), "201: the answer is removed"),
    ("media type of an answer", put(post, "responses", "201", "content", to={}), "application/json is removed"),
    ("request field", drop(asked, "properties", "tags"), "request.tags: the field is removed"),
    ("request field required", put(asked, "required", to=["priority", "name"]), "request.name: it is required now"),
    ("request's type", put(asked, "properties", "size", to={"type": "integer"}), "number is now integer"),
    ("request's null", put(asked, "properties", "name", to={"type": "string"}), "null is no longer taken"),
    (
        "request's length",
        put(asked, "properties", "name", "anyOf", 0, "maxLength", to=100),
        "request.name: maxLength 512 is now 100",
    ),
    ("request's word", put(asked, "properties", "priority", "enum", to=["bulk"]), "'interactive' is removed"),
    ("request's enumeration", put(asked, "properties", "tags", "items", "enum", to=["a"]), "it is one of ['a'] now"),
    ("request's pattern", put(asked, "properties", "tags", "items", "pattern", to="^a"), "pattern None is now '^a'"),
    ("request's others", put(asked, "properties", "metadata", "additionalProperties", to=False), "no longer taken"),
    ("answer's field", drop(told, "properties", "percent"), ".percent: the field is removed"),
    ("optional field of an answer", drop(told, "properties", "note"), ".note: the field is removed"),
    ("answer's field missing", put(told, "required", to=["id"]), ".name: it may be missing now"),
    (
        "answer's null",
        put(told, "properties", "percent", to={"anyOf": [{"type": "number"}, {"type": "null"}]}),
        ".percent: it may be null now",
    ),
    ("answer's type", put(told, "properties", "percent", to={"type": "string"}), "number is now string"),
    ("answer's format", drop(told, "properties", "id", "format"), "format 'uuid' is now None"),
    (
        "answer's word",
        lambda d: d["components"]["schemas"]["State"]["enum"].append("paused"),
        ".state: the word 'paused' is new and was not announced",
    ),
    ("answer's enumeration", lambda d: d["components"]["schemas"]["State"].pop("enum"), "any word may come now"),
    ("tuple", lambda d: told(d)["properties"]["place"]["prefixItems"].append({"type": "number"}), "2 items are now 3"),
    ("values", put(told, "properties", "shares", "additionalProperties", "type", to="string"), "number is now string"),
    ("items of an answer", put(told, "properties", "parts", "items", to={"type": "string"}), "object is now string"),
]

HARMLESS: list[tuple[str, Change]] = [
    ("nothing", lambda _: None),
    ("new operation", lambda d: d["paths"].update({"/new": deepcopy(d["paths"]["/jobs"])})),
    (
        "new parameter",
        lambda d: post(d)["parameters"].append({"in": "query", "name": "zone", "schema": {"type": "string"}}),
    ),
    ("wider bound", put(limit, "schema", "maximum", to=2000)),
    ("header in other letters", put(post, "parameters", 0, "name", to="idempotency-key")),
    ("new request field", put(asked, "properties", "keep_days", to={"type": "integer"})),
    ("request field optional", put(asked, "required", to=[])),
    ("request's new word", put(asked, "properties", "priority", "enum", to=["bulk", "interactive", "soon"])),
    ("request takes null", put(asked, "properties", "size", to={"anyOf": [{"type": "number"}, {"type": "null"}]})),
    ("answer's new field", put(told, "properties", "retries", to={"type": "integer"})),
    ("answer's field always there", lambda d: told(d)["required"].append("note")),
    ("answer never null", put(told, "properties", "name", to={"type": "string"})),
    ("answer's integer", put(told, "properties", "percent", to={"type": "integer"})),
    ("answer's word gone", lambda d: d["components"]["schemas"]["State"]["enum"].remove("draft")),
    ("new answer", lambda d: post(d)["responses"].update({"202": {"description": "later"}})),
    ("description", put(told, "description", to="a job")),
]


@pytest.mark.parametrize(("change", "what"), [case[1:] for case in BREAKS], ids=[case[0] for case in BREAKS])
def test_a_break_is_found(change: Change, what: str) -> None:
    new = deepcopy(DOCUMENT)
    change(new)
    found = [str(one) for one in find_breaks(DOCUMENT, new)]
    assert [one for one in found if what in one], found


@pytest.mark.parametrize("change", [case[1] for case in HARMLESS], ids=[case[0] for case in HARMLESS])
def test_what_breaks_nobody_is_not_found(change: Change) -> None:
    new = deepcopy(DOCUMENT)
    change(new)
    assert find_breaks(DOCUMENT, new) == []


def test_a_word_that_was_announced_may_come() -> None:
    new = deepcopy(DOCUMENT)
    new["components"]["schemas"]["State"]["enum"].append("paused")
    assert find_breaks(DOCUMENT, new, announced={"paused"}) == []


def test_another_name_of_a_schema_breaks_nobody_on_the_wire() -> None:
    new = deepcopy(DOCUMENT)
    new["components"]["schemas"]["Status"] = new["components"]["schemas"].pop("State")
    told(new)["properties"]["state"]["$ref"] = "#/components/schemas/Status"
    assert find_breaks(DOCUMENT, new) == []


def test_a_keyword_that_nobody_compares_is_seen() -> None:
    new = deepcopy(DOCUMENT)
    told(new)["properties"]["percent"]["multipleOf"] = 5
    assert unknown_keywords(new) == {"multipleOf"}
    assert unknown_keywords(DOCUMENT) == set()
