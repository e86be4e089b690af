"""``python -m tests.benchmarks.predictions``: seconds of ``POST /predict`` with a small photograph, on idle servers.

First one client, one after the other, then several at a time. ``--beside FOLDER`` takes the API of another checkout,
too, on the same database, with the same worker, in turns with this one: what a change of the API costs or gains.
"""

import argparse
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from pathlib import Path
from threading import local

import urllib3

from deploy.local.ports import free_port
from phytobatch import Phytobatch
from tests.acceptance.system import System
from tests.benchmarks.fairness import spread_of, timed
from tests.benchmarks.figures import Figures
from tests.benchmarks.images import write_set
from tests.benchmarks.throughput import production_system
from tests.patience import PATIENCE_SECONDS

CLIENTS = (1, 8)
UNLIMITED = {"PHYTOBATCH_REQUESTS_PER_MINUTE": "0"}


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--predictions", type=int, default=16, help="of each API, in each round")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--beside", type=Path, metavar="FOLDER", help="another checkout, whose API is asked in turns")
    asked = parser.parse_args()
    figures = Figures("predictions", "POST /predict, 256 px, on idle servers")
    with production_system() as system:
        folder = system.folder / "small"
        print(write_set("small", folder, asked.predictions))
        files = sorted(folder.iterdir())
        apis = {"this API": start(system, system.code)}
        if asked.beside is not None:
            apis["the other"] = start(system, asked.beside.resolve())
        system.start_worker()
        for clients in CLIENTS:
            seconds: dict[str, list[float]] = {name: [] for name in apis}
            for url in apis.values():
                predict(url, system.api_key, files[:clients], clients)  # Everything is warm.
            for _ in range(asked.rounds):
                for name, url in apis.items():
                    seconds[name] += predict(url, system.api_key, files, clients)
            for name, took in seconds.items():
                p50, p95 = spread_of(took)
                figures.add(f"{name}, {clients} at a time: p50", p50 * 1000, "ms")
                figures.add(f"{name}, {clients} at a time: p95", p95 * 1000, "ms")
    print(figures.keep())


def start(system: System, code: Path) -> str:
    """Start the API of a checkout, and return its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    own, system.code = system.code, code
    child = system.start("api", "-m", "api", PHYTOBATCH_API_PORT=str(port), **UNLIMITED)
    system.code = own
    child.wait_ready(partial(is_ready, url), PATIENCE_SECONDS)
    return url


def is_ready(url: str) -> bool:
    """Return whether an API says that it is ready."""
    try:
        return urllib3.request("GET", f"{url}/readyz", retries=False).status == HTTPStatus.OK
    except urllib3.exceptions.HTTPError:
        return False


def predict(url: str, key: str, files: Sequence[Path], clients: int) -> list[float]:
    """Send every file, so many at a time, and return the seconds of each."""
    own = local()

    def one(file: Path) -> float:
        if not hasattr(own, "api"):
            own.api = Phytobatch(url, api_key=key)
        return timed(partial(own.api.predict, file))

    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(one, files))


if __name__ == "__main__":
    main()
