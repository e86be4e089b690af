import re

import pytest

from deploy.vulnerabilities.locks import IMAGES, LOCKS, image_pins, lock_files, read_lock, read_pins, rounds
from tests.contract.check_tools import ROOT

LOCK = """\
async-timeout==5.0.1 ; python_full_version < '3.11.3' \\
    --hash=sha256:39e3 \\
    --hash=sha256:d932
    # via redis
numpy==2.4.6 ; python_full_version < '3.12' \\
    --hash=sha256:aaaa
    # via
    #   phytobatch (pyproject.toml)
numpy==2.5.5 ; python_full_version >= '3.12' \\
    --hash=sha256:bbbb
PyWin32==312 ; sys_platform == 'win32' \\
    --hash=sha256:cccc
six==1.17.0 \\
    --hash=sha256:dddd
# The following packages were excluded from the output:
# jsii
"""


def test_a_lock_is_read_with_markers_and_hashes() -> None:
    pins = read_pins(LOCK)
    assert [f"{pin.name} {pin.version}" for pin in pins] == [
        "async-timeout 5.0.1",
        "numpy 2.4.6",
        "numpy 2.5.5",
        "pywin32 312",
        "six 1.17.0",
    ]
    assert pins[0].hashes == ("--hash=sha256:39e3", "--hash=sha256:d932")
    assert pins[0].line() == "async-timeout==5.0.1 \\\n    --hash=sha256:39e3 \\\n    --hash=sha256:d932\n"


@pytest.mark.parametrize("path", lock_files(), ids=lambda path: path.stem)
def test_no_package_of_a_real_lock_is_overlooked(path: object) -> None:
    lines = re.findall(r"^[A-Za-z0-9].*==", path.read_text(), re.MULTILINE)  # type: ignore[attr-defined]
    assert len(read_lock(path)) == len(lines) > 0  # type: ignore[arg-type]


def test_an_image_gets_what_its_system_and_python_get() -> None:
    names = {pin.name: str(pin.version) for pin in image_pins("worker")}
    assert "tzdata" not in names, "for Windows"
    assert "async-timeout" not in names, "for the first releases of Python 3.11"
    assert "onnxruntime" in names


def test_the_images_are_those_of_the_dockerfile_and_so_is_their_python() -> None:
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    assert set(re.findall(r"^FROM base AS (\w+)$", dockerfile, re.MULTILINE)) == set(IMAGES)
    assert "ARG PYTHON_IMAGE=python:3.11" in dockerfile
    assert all((LOCKS / f"{image}.txt").exists() for image in IMAGES)


def test_each_round_has_one_version_of_a_package_and_none_is_lost() -> None:
    pins = read_pins(LOCK)
    first, second = rounds(pins)
    assert [str(pin.version) for pin in second] == ["2.5.5"]
    assert len(first) + len(second) == len(pins)
