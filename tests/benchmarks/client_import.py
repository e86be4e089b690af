"""``python -m tests.benchmarks.client_import``: what it costs to import the client, in processor time and modules.

Processor time of a whole process without that of a bare Python: it moves less with the load of the machine than the
time on the clock. ``--before FOLDER`` takes turns with a checkout of before 0.1.0's package, whose name was ``client``.
"""

import argparse
import resource
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.figures import Figures

ROOT = Path(__file__).parents[2]
BARE = "pass"
CASES = {
    "import phytobatch": "import phytobatch",
    "from phytobatch import Phytobatch": "from phytobatch import Phytobatch",
    "the command, without its work": "import phytobatch.cli",
}
BEFORE = {
    "before: import client": "import client",
    "before: from client import Phytobatch": "from client import Phytobatch",
    "before: the command, without its work": "import client.cli",
}


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--before", type=Path, metavar="FOLDER")
    given = parser.parse_args()
    cases = [(ROOT / "client", name, code) for name, code in CASES.items()]
    if given.before is not None:
        cases += [(given.before, name, code) for name, code in BEFORE.items()]
    figures = Figures("client_import", "importing the client")
    seconds: dict[str, list[float]] = {name: [] for _, name, _ in cases}
    for _ in range(given.rounds):
        bare = _processor_seconds(ROOT, BARE)
        for folder, name, code in cases:
            seconds[name].append(_processor_seconds(folder, code) - bare)
    for folder, name, code in cases:
        figures.add(name, [1000 * each for each in seconds[name]], "ms")
        figures.add(f"{name}: modules", _modules(folder, code) - _modules(folder, BARE))
    print(figures.keep())


def _processor_seconds(folder: Path, code: str) -> float:
    before = _used()
    _run(folder, code)
    return _used() - before


def _used() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _modules(folder: Path, code: str) -> int:
    return int(_run(folder, f"{code}\nimport sys\nprint(len(sys.modules))"))


def _run(folder: Path, code: str) -> str:
    # No site: what is installed beside the client would be counted with it.
    packages = next(entry for entry in sys.path if Path(entry, "urllib3").is_dir())
    start = f"import sys; sys.path[:0] = [{str(folder)!r}, {packages!r}]\n"
    command = [sys.executable, "-I", "-S", "-c", start + code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()
