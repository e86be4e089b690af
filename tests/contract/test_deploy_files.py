"""Dockerfile, shell scripts and YAML files under the linters of their kind."""

import subprocess
from pathlib import Path

import pytest

from tests.contract.chart.rendering import EXAMPLES, text
from tests.contract.check_tools import ROOT, run

pytestmark = pytest.mark.slow

YAMLLINT = Path(__file__).with_name("yamllint.yml")
SHELLS = ("#!/bin/sh", "#!/bin/bash", "#!/usr/bin/env bash", "#!/usr/bin/env sh")


def tracked(*patterns: str) -> list[Path]:
    """Files of the repository."""
    found = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in found.stdout.split("\0") if name and (ROOT / name).is_file()]


def shell_scripts() -> list[Path]:
    """By their first line, because some have no suffix."""
    return [path for path in tracked() if path.read_bytes()[:64].decode("latin-1").startswith(SHELLS)]


def test_a_checkout_on_windows_has_the_same_bytes(tmp_path: Path) -> None:
    """What a shell or a container reads must not get carriage returns, whatever a user's git is told to do."""
    windows = ["-c", "core.autocrlf=true", "-c", "core.eol=crlf"]
    if not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout, so there are no line ends to convert")
    subprocess.run(["git", *windows, "checkout-index", "--all", f"--prefix={tmp_path}/"], cwd=ROOT, check=True)
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert tmp_path / "docker-compose.yml" in files
    assert [path.name for path, held in files.items() if b"\r\n" in held and b"\0" not in held] == []


def test_hadolint_has_nothing_to_say_about_the_images() -> None:
    done = run("hadolint", ROOT / "deploy" / "Dockerfile")
    assert done.returncode == 0, done.stdout


def test_hadolint_would_find_something(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian\nRUN apt-get install curl\n")
    assert run("hadolint", tmp_path / "Dockerfile").returncode != 0


def test_shellcheck_has_nothing_to_say_about_scripts() -> None:
    scripts = shell_scripts()
    assert ROOT / ".ci" / "run" in scripts
    done = run("shellcheck", *scripts)
    assert done.returncode == 0, done.stdout


def test_yaml_files_are_tidy() -> None:
    # Templates of the chart are YAML only once they are rendered.
    files = [path for path in tracked("*.yml", "*.yaml") if "templates" not in path.parts]
    assert ROOT / "docker-compose.yml" in files
    done = run("yamllint", "--strict", "--config-file", YAMLLINT, *files)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_the_chart_renders_is_tidy(example: str, tmp_path: Path) -> None:
    rendered = tmp_path / f"{example}.yaml"
    rendered.write_text(text(example), encoding="utf-8")
    rules = f"{{extends: {YAMLLINT}, rules: {{line-length: disable}}}}"
    done = run("yamllint", "--strict", "--config-data", rules, rendered)
    assert done.returncode == 0, done.stdout
