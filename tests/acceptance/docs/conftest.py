"""One whole Phytobatch for every page of the manual, and stand-ins of the services that are not ours."""

import os
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deploy.local.ports import free_port
from deploy.local.servers import LocalServers
from deploy.local.synthetic import render
from tests.acceptance.docs.standins import FarmOS, JohnDeere
from tests.acceptance.system import System

ROOT = Path(__file__).parents[3]
BUCKET, PREFIX = "flights", "2026-05-14/"
KINDS = ("healthy", "rust", "powdery_mildew")


@pytest.fixture(scope="package")
def documented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """All programs of the service, and a bucket of the user's with three photographs."""
    with LocalServers.temporary(fast=True) as servers:
        made = System(servers, tmp_path_factory.mktemp("logs"))
        try:
            made.prepare()
            made.start_api()
            made.start_beat()
            made.start_deliverer()
            made.start_worker()
            _fill_bucket(servers, tmp_path_factory.mktemp("flights"))
            yield made
        finally:
            made.stop()


def _fill_bucket(servers: LocalServers, folder: Path) -> None:
    servers.objects.create_bucket(BUCKET)
    with closing(servers.objects.client()) as s3:
        for number, kind in enumerate(KINDS):
            file = folder / f"DJI_{number:04d}.JPG"
            render(kind, (800, 600), seed=number).save(file, "JPEG", quality=90)
            s3.put_object(Bucket=BUCKET, Key=PREFIX + file.name, Body=file.read_bytes())


@pytest.fixture(scope="package")
def farmos() -> Iterator[FarmOS]:
    with FarmOS() as running:
        yield running


@pytest.fixture(scope="package")
def john_deere() -> Iterator[JohnDeere]:
    with JohnDeere() as running:
        yield running


@pytest.fixture(scope="package")
def reader(documented: System, farmos: FarmOS, john_deere: JohnDeere) -> dict[str, str]:
    """The environment of somebody who reads the manual: an installed Phytobatch, a key, and accounts elsewhere."""
    client_id, client_secret = farmos.CLIENT
    return {
        **documented.environment,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),  # The reader is in the checkout, which is no installed package.
        "XDG_STATE_HOME": str(documented.folder / "state"),
        "COLUMNS": "120",
        "PORT": str(free_port()),
        "FARMOS_URL": farmos.url,
        "FARMOS_CLIENT_ID": client_id,
        "FARMOS_CLIENT_SECRET": client_secret,
        "DEERE_URL": f"{john_deere.url}/platform",
        "DEERE_TOKEN": john_deere.TOKEN,
        "DEERE_ORGANIZATION": "1234",
        "DEERE_FIELD": "north",
        "DEERE_FLAG_CATEGORY": "disease",
    }
