"""An upgrade of uvicorn is noticed: `api/connection.py` inherits from a class that is not documented (decision 24)."""

import hashlib
import inspect
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import httptools
import uvicorn
from uvicorn.protocols.http import httptools_impl

from api.connection import Connection
from api.request_parser import RequestParser

ROOT = Path(__file__).parents[2]
# Of the module of 0.54.0. Before you write another sum here, read what has changed, and run the tests that decision 24
# names.
READ = "1d4e1c579df4168433a61a01f10c628b31c1790e72dd9769d2b8633b22214033"


def test_the_module_that_is_inherited_from_is_the_one_that_was_read() -> None:
    assert hashlib.sha256(inspect.getsource(httptools_impl).encode()).hexdigest() == READ


def test_one_minor_version_is_allowed() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (needed,) = [line for line in extras["api"] if line.startswith("uvicorn")]
    major, minor, _ = version("uvicorn").split(".")
    assert needed == f"uvicorn[standard]>={major}.{minor},<{major}.{int(minor) + 1}"


def test_a_class_is_a_documented_value_of_the_setting() -> None:
    assert "type[asyncio.Protocol]" in str(inspect.signature(uvicorn.Config).parameters["http"].annotation)
    assert issubclass(Connection, httptools_impl.HttpToolsProtocol)


def test_our_parser_has_whatever_uvicorn_calls_of_one() -> None:
    source = inspect.getsource(httptools_impl)
    called = set(re.findall(r"\bself\.parser\.(\w+)", source))
    assert {"feed_data", "get_method"} <= called
    assert called <= set(vars(RequestParser))
    assert called <= {name for name in dir(httptools.HttpRequestParser) if not name.startswith("_")}
