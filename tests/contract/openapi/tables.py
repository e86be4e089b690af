"""``python -m tests.contract.openapi.tables``: write the tables of docs/http-api.md from the OpenAPI document.

A table stands between ``<!-- calls: TAGS -->`` and ``<!-- end of calls -->``.
"""

import re
import sys
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from api.answers import ALWAYS
from tests.contract.openapi.kept import ROOT, current_document

Json = dict[str, Any]

PAGE = ROOT / "docs" / "http-api.md"
PLACE = re.compile(r"(<!-- calls: ([a-z, ]+) -->\n).*?(<!-- end of calls -->)", re.DOTALL)
HEAD = "| call | scope | answer | what it does |\n|---|---|---|---|\n"


def with_tables(page: str, document: Json) -> str:
    """Return a page with the table of each place that asks for one."""

    def table(found: re.Match[str]) -> str:
        tags = [tag.strip() for tag in found[2].split(",")]
        return f"{found[1]}{HEAD}{''.join(_rows(document, tags))}{found[3]}"

    return PLACE.sub(table, page)


def _rows(document: Json, tags: list[str]) -> Iterator[str]:
    operations = [
        (tags.index(operation["tags"][0]), path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if operation["tags"][0] in tags
    ]
    for _, path, method, operation in sorted(operations, key=lambda one: one[0]):
        cells = (
            f"`{method.upper()} {path}{_query(operation)}`{_request(document, operation)}",
            _scope(operation),
            _answer(operation),
            _prose(operation),
        )
        yield "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |\n"


def _query(operation: Json) -> str:
    names = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]
    return "?" + "&".join(f"{name}=" for name in names) if names else ""


def _request(document: Json, operation: Json) -> str:
    contents = operation.get("requestBody", {}).get("content", {})
    for media_type in ("application/json", "multipart/form-data"):
        if media_type in contents:
            kind = "" if media_type.endswith("json") else " form"
            return f"{kind} `{{{_fields(document, contents[media_type]['schema'])}}}`"
    return "".join(f" `{media_type}`" for media_type in contents)


def _fields(document: Json, schema: Json) -> str:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    required = schema.get("required", ())
    return ", ".join(name if name in required else f"{name}?" for name in schema["properties"])


def _scope(operation: Json) -> str:
    return next((scope for scheme in operation["security"] for scopes in scheme.values() for scope in scopes), "none")


def _answer(operation: Json) -> str:
    successes, refusals = [], []
    for status, response in operation["responses"].items():
        if int(status) < HTTPStatus.BAD_REQUEST:
            successes.append(f"{status}{_content(response)}")
        elif int(status) not in ALWAYS:
            refusals.append(status)
    return "; ".join((", ".join(successes), *([", ".join(refusals)] if refusals else ())))


def _content(response: Json) -> str:
    content = response.get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    if "$ref" in schema:
        return f" `{schema['$ref'].rpartition('/')[2]}`"
    return f" `{next(iter(content))}`" if len(content) == 1 else ""


def _prose(operation: Json) -> str:
    words = " ".join(operation["description"].split())
    return f"Deprecated. {words}" if operation.get("deprecated") else words


def main() -> int:
    """Write the page."""
    PAGE.write_text(with_tables(PAGE.read_text(), current_document()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
