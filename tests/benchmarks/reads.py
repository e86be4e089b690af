"""``python -m tests.benchmarks.reads``: processor and wall-clock time of reading an object, in several ways.

Each way reads the same objects from a real store, with as many threads as a worker has, in turns. The processor is that
of this process alone. obstore is no dependency: it is compared where somebody has installed it.
"""

import argparse
import io
import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import urllib3

from deploy.local.objects import REGION
from deploy.local.servers import BUCKET, LocalServers
from shared.settings import Settings
from shared.storage.s3 import S3Store, open_client
from tests.benchmarks.figures import Figures

SIZES = {"small": 20_000, "full-size": 1_000_000}  # bytes
COUNTS = {"small": 400, "full-size": 80}
THREADS = 8  # as download_threads of a worker

Read = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one object, in milliseconds."""

    processor: float
    wall: float


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    figures = Figures("reads", f"reads: an object from SeaweedFS, {THREADS} threads")
    with LocalServers.temporary(services=("objects",)) as servers:
        given = {name.removeprefix("PHYTOBATCH_").lower(): value for name, value in servers.environment.items()}
        settings = Settings(**{"database_url": "postgresql://none/none", "redis_url": "redis://none", **given})  # type: ignore[arg-type]
        store = S3Store(settings, connections=THREADS)
        store.create_bucket()
        for kind, size in SIZES.items():
            _measure(figures, kind, _fill(store, kind, size), ways(settings, store), asked.rounds)
    print(figures.keep())


def ways(settings: Settings, store: S3Store) -> Mapping[str, Read]:
    """Return the ways to read an object, by name."""
    client = open_client(settings, settings.s3_endpoint_url, THREADS)
    pool = urllib3.PoolManager(maxsize=THREADS, retries=False)
    found: dict[str, Read] = {
        "boto3": lambda key: client.get_object(Bucket=BUCKET, Key=key)["Body"].read(),
        "ours": lambda key: store.get(key, max_bytes=max(SIZES.values())),
        "urllib3, signed beforehand": _signed_beforehand(client, pool),
    }
    return found | _obstore(settings)


def _signed_beforehand(client: Any, pool: urllib3.PoolManager) -> Read:  # noqa: ANN401  # boto3's
    """What is left when nothing is signed or looked up: the floor of Python's HTTP."""
    urls = {
        f"{kind}/{number}": client.generate_presigned_url(
            "get_object", Params={"Bucket": BUCKET, "Key": f"{kind}/{number}"}
        )
        for kind, count in COUNTS.items()
        for number in range(count)
    }
    return lambda key: pool.request("GET", urls[key]).data


def _obstore(settings: Settings) -> dict[str, Read]:
    try:
        import obstore
        from obstore.store import S3Store as Obstore
    except ImportError:
        print("obstore is not compared, because it is not installed")
        return {}
    keys = [value.get_secret_value() for value in (settings.s3_access_key_id, settings.s3_secret_access_key) if value]
    store = Obstore(
        BUCKET,
        endpoint=settings.s3_endpoint_url,
        region=REGION,
        access_key_id=keys[0],
        secret_access_key=keys[1],
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )
    return {"obstore": lambda key: bytes(obstore.get(store, key).bytes())}


def _fill(store: S3Store, kind: str, size: int) -> list[str]:
    keys = [f"{kind}/{number}" for number in range(COUNTS[kind])]
    for key in keys:
        store.put(key, io.BytesIO(os.urandom(size)), size=size)
    return keys


def _measure(figures: Figures, kind: str, keys: list[str], found: Mapping[str, Read], rounds: int) -> None:
    costs: dict[str, list[Cost]] = {name: [] for name in found}
    for _ in range(rounds):
        for name, read in found.items():
            costs[name].append(_cost(read, keys))
    for name, each in costs.items():
        figures.add(f"{kind}, {name}: processor", [cost.processor for cost in each], "ms")
        figures.add(f"{kind}, {name}: wall", [cost.wall for cost in each], "ms")
    ratios = [ours.processor / theirs.processor for ours, theirs in zip(costs["ours"], costs["boto3"], strict=True)]
    figures.add(f"{kind}: processor of ours / of boto3", ratios)


def _cost(read: Read, keys: list[str]) -> Cost:
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(read, keys[:THREADS]))  # connections
        with _timed() as cost:
            list(threads.map(read, keys))
    return Cost(*(1000 * seconds / len(keys) for seconds in cost))


@contextmanager
def _timed() -> Iterator[list[float]]:
    took: list[float] = []
    processor, wall = time.process_time(), time.perf_counter()
    yield took
    took += [time.process_time() - processor, time.perf_counter() - wall]


if __name__ == "__main__":
    main()
