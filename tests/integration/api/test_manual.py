"""The page on which people try the API: complete without any other host."""

import gzip
import re

import pytest

from tests.integration.conftest import Api, assert_problem

FILES = ("swagger-ui.js", "swagger-ui.css", "favicon.png", "start.js")


def test_the_page_and_its_policy_name_no_other_host(anonymous: Api) -> None:
    page = anonymous.get("/docs")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    named = re.findall(r'(?:src|href)="([^"]+)"', page.data.decode())
    assert sorted(named) == sorted([f"docs/{name}" for name in FILES] + ["openapi.json"])
    assert "http" not in page.headers["Content-Security-Policy"]
    assert "'unsafe-inline'" not in page.headers["Content-Security-Policy"].partition("style-src")[0]
    assert "<script>" not in page.data.decode()


@pytest.mark.parametrize("name", FILES)
def test_its_files_are_cached_and_small_on_the_way(anonymous: Api, name: str) -> None:
    plain = anonymous.get(f"/docs/{name}", headers={"Accept-Encoding": "identity"})
    assert (plain.status, plain.headers["Vary"]) == (200, "Accept-Encoding")
    assert plain.headers["Cache-Control"] == "public, max-age=86400"
    small = anonymous.get(f"/docs/{name}", headers={"Accept-Encoding": "gzip"}, decode_content=False)
    assert small.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(small.data) == plain.data
    again = anonymous.get(f"/docs/{name}", headers={"If-None-Match": plain.headers["ETag"]})
    assert (again.status, again.data) == (304, b"")


def test_it_is_a_present_swagger_ui(anonymous: Api) -> None:
    script = anonymous.get("/docs/swagger-ui.js").data.decode()
    assert "SwaggerUIBundle" in script
    assert re.search(r'"5\.\d+\.\d+"', script)


@pytest.mark.parametrize("name", ["nothing", "swagger-ui-bundle.js", "..%2Ffiles.py", "%2e%2e"])
def test_there_are_no_other_files(anonymous: Api, name: str) -> None:
    assert_problem(anonymous.get(f"/docs/{name}"), 404, "not-found")
