"""The OpenAPI document is what generic clients and fuzzers work from."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from api.corrections.schemas import PutCorrection
from api.errors import Problem
from api.exports.schemas import CreateExport
from api.jobs.schemas import AddImages, CreateJob
from api.main import ROUTERS, create_app
from api.openapi import response_models
from api.webhooks.schemas import (
    ChangeEndpoint,
    CreateEndpoint,
    Redeliver,
)
from tests.contract.openapi.nowhere import NOWHERE

ROOT = Path(__file__).parents[2]
OPEN = {"health", "ready"}
ANSWERS: tuple[type[BaseModel], ...] = (Problem, *response_models(ROUTERS))
Json = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> Json:
    return create_app(NOWHERE).openapi()


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def resolve(document: Json, schema: Json) -> Json:
    while "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def test_every_reference_leads_somewhere(document: Json) -> None:
    def walk(node: object) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                assert resolve(document, node)
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(document)
    assert document["openapi"].startswith("3.1")


def test_every_operation_has_its_own_id_a_summary_and_a_known_tag(document: Json) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    tags = {tag["name"] for tag in document["tags"]}
    for _, _, operation in operations(document):
        assert operation["summary"]
        assert operation["description"]
        assert set(operation["tags"]) <= tags


def test_every_operation_with_a_key_says_so_and_names_its_problems(document: Json) -> None:
    schemes = document["components"]["securitySchemes"]
    assert schemes["ApiKey"]["name"] == "X-API-Key"
    assert schemes["Bearer"]["scheme"] == "bearer"
    for _, path, operation in operations(document):
        if operation["operationId"] in OPEN:
            assert operation["security"] == []
            continue
        assert {name for one in operation["security"] for name in one} == {"ApiKey", "Bearer"}, path
        for status in ("401", "403", "422", "503"):
            (media_type,) = operation["responses"][status]["content"]
            assert media_type == "application/problem+json"


def test_the_document_says_where_the_service_is_and_under_which_licence(document: Json) -> None:
    assert document["servers"] == [{"url": "/"}]
    assert document["info"]["license"]["identifier"] == "Apache-2.0"


def test_every_operation_documents_a_success_and_a_refusal(document: Json) -> None:
    for _, path, operation in operations(document):
        kinds = {status[0] for status in operation["responses"]}
        assert kinds >= {"2", "4"}, path


def test_a_field_that_every_answer_has_is_required(document: Json) -> None:
    """Members of a problem are left out where they say nothing; requests may leave out what has a default."""
    requests, answers = set[str](), set[str]()
    for _, _, operation in operations(document):
        requests |= _named(document, operation.get("requestBody", {}))
        for status, response in operation["responses"].items():
            answers |= _named(document, response) if status[0] == "2" else set()
    schemas = document["components"]["schemas"]
    assert {
        name: missing
        for name in answers - requests
        if (missing := set(schemas[name].get("properties", ())) - set(schemas[name].get("required", ())))
    } == {}
    assert len(answers) > len(requests) > 0


def _named(document: Json, node: object) -> set[str]:
    """Return the names of the schemas that a node refers to, also through each other."""
    found, queue = set[str](), [node]
    while queue:
        one = queue.pop()
        if isinstance(one, dict):
            name = one.get("$ref", "").rpartition("/")[2]
            if name and name not in found:
                found.add(name)
                queue.append(document["components"]["schemas"][name])
            queue.extend(one.values())
        elif isinstance(one, list):
            queue.extend(one)
    return found


def test_bodies_and_answers_have_examples(document: Json) -> None:
    for _, path, operation in operations(document):
        contents = [operation["requestBody"]["content"]] if "requestBody" in operation else []
        contents += [r["content"] for r in operation["responses"].values() if "content" in r]
        for content in contents:
            for body in content.values():
                assert resolve(document, body["schema"]).get("examples"), path


def test_a_parameter_is_given_or_left_out_and_never_null(document: Json) -> None:
    for _, path, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            assert "null" not in str(parameter["schema"]), (path, parameter["name"])
            assert parameter["name"].lower() not in {"accept", "content-type", "authorization"}, path


def test_a_deprecated_operation_names_the_one_to_use(document: Json) -> None:
    current = {path for _, path, operation in operations(document) if not operation.get("deprecated")}
    for _, path, operation in operations(document):
        if operation.get("deprecated"):
            (other,) = re.findall(r"Use `GET (/\S+)`", operation["description"])
            assert other in current - {path}


def test_no_schema_of_the_framework_is_left(document: Json) -> None:
    assert not {"HTTPValidationError", "ValidationError"} & set(document["components"]["schemas"])


def test_the_page_of_the_wire_format_and_the_document_name_the_same_calls(document: Json) -> None:
    page = (ROOT / "docs" / "http-api.md").read_text()
    rows = re.findall(r"^\| (`(?:GET|POST|PUT|PATCH|DELETE) .*?) \|", page, re.MULTILINE)
    told = {call for row in rows for call in re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/[^\s?`]*)", row)}
    # What an id is called does not matter.
    assert {_nameless(*call) for call in told} == {_nameless(method, path) for method, path, _ in operations(document)}


def _nameless(method: str, path: str) -> tuple[str, str]:
    return method, re.sub(r"\{\w+\}", "{id}", path)


def test_examples_of_requests_are_accepted_by_their_own_schemas(document: Json) -> None:
    model: type[BaseModel]
    for model in (CreateJob, AddImages, CreateEndpoint, ChangeEndpoint, Redeliver, CreateExport, PutCorrection):
        examples = document["components"]["schemas"][model.__name__]["examples"]
        assert examples
        for example in examples:
            model.model_validate(example)


def test_examples_of_answers_are_accepted_by_their_own_schemas(document: Json) -> None:
    model: type[BaseModel]
    for model in ANSWERS:
        for example in document["components"]["schemas"][model.__name__.removesuffix("Out")]["examples"]:
            model.model_validate(example)


def test_the_page_of_the_wire_format_names_every_problem_code() -> None:
    page = (ROOT / "docs" / "http-api.md").read_text().partition("## Problem codes")[2]
    shared = ROOT / "shared"
    sources = [
        *ROOT.glob("api/**/*.py"),
        *shared.glob("webhooks/*.py"),
        *shared.glob("access/*.py"),
        shared / "errors.py",
    ]
    sources.append(shared / "jobs" / "lifecycle.py")
    raised = {
        code for path in sources for code in re.findall(r'code(?:: str)? ?= ?"([a-z]+(?:-[a-z]+)+)"', path.read_text())
    }
    never_answered = {"object-missing", "object-too-large", "lease-lost", "job-state", "classifier-differs"}
    assert raised - never_answered <= set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", page))
