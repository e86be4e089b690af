"""``python -m tests.benchmarks.hostile_neighbour``: what a tenant with costly pictures costs another one.

One worker with the settings of production. A job of ordinary photographs alone, and then beside a job of another tenant
whose every picture takes all the processor time that a picture may have; in turns.
"""

import argparse
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from phytobatch import Phytobatch
from tests.acceptance.system import System
from tests.benchmarks.fairness import another_tenant, once, timed
from tests.benchmarks.figures import Figures
from tests.benchmarks.images import write_set
from tests.benchmarks.throughput import production_system
from tests.hostile.known import KNOWN

COSTLY = (
    "TIFF of 2,000 rows in 20,000 strips of 1,000 rows",
    "JPEG with 600 Exif segments",
    "PNG of 60 megapixels with transparency",
)
GOAL = "≤ 2"


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=500, help="ordinary photographs of 256 px in a job")
    parser.add_argument("--few", type=int, default=24, help="photographs of the small job")
    parser.add_argument("--costly", type=int, default=200, help="pictures of the other tenant")
    parser.add_argument("--kinds", type=int, default=len(COSTLY), help="of costly pictures; 1: small files alone")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    figures = Figures("hostile_neighbour", "ordinary photographs alone, and beside pictures that cost all they may")
    with production_system() as system:
        folder = system.folder / "ordinary"
        print(write_set("small", folder, asked.small))
        files = sorted(folder.iterdir())
        honest = another_tenant(system)
        costly = costly_files(system.folder / "costly", asked.costly, COSTLY[: asked.kinds])
        system.start_worker()
        once(honest, system, files[:2], priority="bulk")  # everything is warm
        os.sync()
        sizes = {f"{len(files)} photographs": files, f"{asked.few} photographs": files[: asked.few]}
        ratios: dict[str, list[float]] = {name: [] for name in sizes}
        for _ in range(asked.rounds):
            alone = {name: seconds(honest, system, part) for name, part in sizes.items()}
            hostile = system.submit(costly)
            system.wait_until(hostile, lambda job: job.state == "running")
            for name, part in sizes.items():
                beside = seconds(honest, system, part)
                ratios[name].append(beside / alone[name])
                print(f"{name}: alone {alone[name]:.2f} s, beside {beside:.2f} s", flush=True)
            if system.job(hostile).is_terminal:
                raise SystemExit("the costly job ended too early; ask for more pictures with --costly")
            with Phytobatch(system.url, api_key=system.api_key) as api:
                api.cancel(hostile)
            system.wait_for_end(hostile)
        for name, values in ratios.items():
            figures.add(f"{name}: beside / alone", values, goal=GOAL)
    print(figures.keep())


def seconds(key: str, system: System, files: list[Path]) -> float:
    """Seconds of a bulk job."""
    return timed(partial(once, key, system, files, priority="bulk"))


def costly_files(folder: Path, count: int, kinds: Sequence[str]) -> list[Path]:
    """Costly pictures of several kinds; no two are equal."""
    folder.mkdir()
    contents = [KNOWN[name]() for name in kinds]
    files = [folder / f"{number}.bin" for number in range(count)]
    for number, file in enumerate(files):
        file.write_bytes(contents[number % len(contents)] + number.to_bytes(4, "big"))
    return files


if __name__ == "__main__":
    main()
