"""Whole programs as processes."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.servers import LocalServers
from deploy.local.synthetic import render
from tests.acceptance.system import LONG_LEASE, System

REAL_DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Real servers and an API, for the tests of one module. Workers are started by the tests."""
    with LocalServers.temporary(fast=True) as servers:
        made = System(servers, tmp_path_factory.mktemp("logs"))
        try:
            made.prepare()
            made.start_api()
            yield made
        finally:
            made.stop()


@pytest.fixture
def quiet(system: System) -> Iterator[System]:
    """The system with no worker running, before and after the test."""
    yield system
    system.stop_workers()


@pytest.fixture(scope="module")
def stack(system: System) -> System:
    """The whole service, with one worker: what a user has."""
    system.start_beat()
    system.start_worker(**LONG_LEASE)
    return system


@pytest.fixture(scope="session")
def leaf_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """400 small synthetic leaves: a few pictures, each with other last bytes, so that no two files are equal."""
    folder = tmp_path_factory.mktemp("leaves")
    pictures = []
    for number, kind in enumerate(("healthy", "powdery_mildew", "rust") * 4):
        stream = io.BytesIO()
        render(kind, (256, 256), seed=number).save(stream, "JPEG", quality=90)
        pictures.append(stream.getvalue())
    files = []
    for number in range(400):
        file = folder / f"leaf_{number:04d}.jpg"
        # What follows the end marker of a JPEG is not part of the picture (ITU-T T.81, B.1.1.3).
        file.write_bytes(pictures[number % len(pictures)] + number.to_bytes(4, "big"))
        files.append(file)
    return files


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The photographs beside the checkout; a user's machine has none."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"no real photographs at {REAL_DATA.name}: ../shared/data is not on this machine")
    return REAL_DATA
