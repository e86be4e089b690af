"""The wheel of the client in empty environments of older and newer Pythons: what it installs, and a submission."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import pythons
from tests.acceptance.system import ROOT
from tests.patience import PATIENCE_SECONDS

LOCK = ROOT / "deploy" / "locks" / "client.txt"
OURS = {"phytobatch", "rich", "urllib3"}
OF_RICH = {"markdown-it-py", "mdurl", "pygments"}
# What an empty environment has of its own.
EMPTY = {"pip", "setuptools"}
IMAGES = 3


def run(*command: str | Path, environment: dict[str, str] | None = None, folder: Path | None = None) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=folder, timeout=PATIENCE_SECONDS, check=False
    )
    assert done.returncode == 0, f"{command} {done.stdout} {done.stderr}"
    return done.stdout


def build(project: Path, into: Path) -> Path:
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", into, folder=project)
    (wheel,) = into.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT / "client", tmp_path_factory.mktemp("client"))


@pytest.fixture(scope="module", params=pythons.MINORS, ids=lambda minor: f"3.{minor}")
def environment(request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an environment that holds the wheel and its locked packages alone."""
    folder = tmp_path_factory.mktemp("environment")
    run(pythons.python(request.param), "-m", "venv", folder)
    python = folder / "bin" / "python"
    install = (python, "-m", "pip", "install", "--quiet", "--no-deps")
    run(*install, "--require-hashes", "--requirement", LOCK)
    run(*install, "--no-index", wheel)
    run(python, "-m", "pip", "check")
    return python


def test_the_wheel_has_the_package_alone(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"phytobatch", f"{wheel.name.split('-py3')[0]}.dist-info"}
    assert "phytobatch/py.typed" in names
    assert "phytobatch/reports/page/templates/report.html" in names


def test_the_project_of_the_server_installs_nothing_of_its_own(tmp_path: Path) -> None:
    wheel = build(ROOT, tmp_path)
    folders = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert folders == {f"{wheel.name.split('-py3')[0]}.dist-info"}


def test_an_empty_environment_gets_three_packages_and_what_rich_needs(environment: Path, tmp_path: Path) -> None:
    listed = json.loads(run(environment, "-m", "pip", "list", "--format", "json", folder=tmp_path))
    assert {package["name"].lower() for package in listed} - EMPTY == OURS | OF_RICH
    taken = "import importlib.util as u; print([n for n in ('api', 'client', 'deploy', 'shared') if u.find_spec(n)])"
    assert run(environment, "-c", taken, folder=tmp_path) == "[]\n"


def test_it_submits_a_folder(
    stack: Any,  # noqa: ANN401  # the fixture's own type
    environment: Path,
    make_images: Callable[[int], Path],
    tmp_path: Path,
) -> None:
    variables = {
        "PATH": os.defpath,
        "HOME": str(tmp_path),
        "PHYTOBATCH_URL": stack.url,
        "PHYTOBATCH_API_KEY": stack.api_key,
    }
    command = environment.with_name("phytobatch")
    out = tmp_path / "results.csv"
    run(command, "submit", make_images(IMAGES), "--watch", "--out", out, environment=variables, folder=tmp_path)
    assert len(out.read_text(encoding="utf-8-sig").splitlines()) == 1 + IMAGES
    newest, *_ = run(command, "jobs", "--json", environment=variables, folder=tmp_path).splitlines()
    job = json.loads(newest)
    assert job["counts"]["succeeded"] == IMAGES
    program = f"from phytobatch import Phytobatch\nwith Phytobatch() as api: print(api.job({job['id']!r}).state)"
    assert run(environment, "-c", program, environment=variables, folder=tmp_path) == "completed\n"
