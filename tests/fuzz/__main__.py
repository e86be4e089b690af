"""``python -m tests.fuzz``: schemathesis against the whole service, with every check, with and without a key.

Exit status 1: an answer that is no answer of ours (5xx), or one that the OpenAPI document does not know.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.target import Target, running

HERE = Path(__file__).parent
TOOL = Path(sys.prefix) / "checks" / "bin" / "schemathesis"
REQUEST_SECONDS = 30
# Schemathesis ends at `--max-time` by itself; one that does not is stopped.
GRACE_SECONDS = 120
# These would remove what the pass with good ids is about.
REMOVES = ("delete_job", "delete_webhook", "delete_export", "disable_webhook")


@dataclass(frozen=True, slots=True)
class Pass:
    """One run of schemathesis: who asks, in which phases, and for which share of the time."""

    name: str
    phases: str
    share: float
    with_key: bool = True
    with_ids: bool = False


PASSES = (
    Pass("without a key", "examples,coverage", 0.1, with_key=False),
    Pass("with a key, ids of all that there is", "examples,coverage,fuzzing", 0.35, with_ids=True),
    Pass("with a key, any id", "examples,coverage,fuzzing", 0.3),
    Pass("with a key, calls that follow from each other", "stateful", 0.25),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every pass; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--examples", type=int, default=100, help="most requests of one kind for each call")
    parser.add_argument("--logs", type=Path, help="folder for logs and reports (default: a temporary one)")
    given = parser.parse_args(arguments)
    if not TOOL.exists():
        parser.exit(1, "schemathesis is not installed: run `make checks`\n")
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.logs or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        with running(folder) as target:
            failed = [one.name for one in PASSES if _run(one, target, folder, given)]
            faults = target.faults
        print(f"fuzz: seed {given.seed}, {len(PASSES)} passes, {len(failed)} failed, {len(faults)} faults in the log")
        for fault in faults[:10]:
            print(fault[:1000])
    return 1 if failed or faults else 0


def _run(one: Pass, target: Target, folder: Path, given: argparse.Namespace) -> bool:
    """Run one pass; return True if schemathesis found something."""
    print(f"== {one.name} ({one.phases})", flush=True)
    seconds = max(10, int(given.minutes * 60 * one.share))
    configuration = folder / f"{PASSES.index(one)}.toml"
    configuration.write_text(_configuration(one, target), encoding="utf-8")
    command = [
        str(TOOL),
        "--config-file",
        str(configuration),
        "run",
        f"{target.system.url}/openapi.json",
        *(("--header", f"X-API-Key: {target.system.api_key}") if one.with_key else ()),
        *(word for name in (REMOVES if one.with_ids else ()) for word in ("--exclude-operation-id", name)),
        *("--phases", one.phases, "--checks", "all", "--mode", "all", "--continue-on-failure", "--no-color"),
        *("--max-examples", str(given.examples), "--seed", str(given.seed), "--max-time", str(seconds)),
        *("--request-timeout", str(REQUEST_SECONDS), "--generation-database", "none", "--warnings", "off"),
    ]
    try:
        return subprocess.run(command, cwd=folder, timeout=seconds + GRACE_SECONDS, check=False).returncode != 0
    except subprocess.TimeoutExpired:
        print(f"schemathesis did not end within {seconds + GRACE_SECONDS} s")
        return True


def _configuration(one: Pass, target: Target) -> str:
    common = (HERE / "schemathesis.toml").read_text(encoding="utf-8")
    if not one.with_ids:
        return common
    ids = "\n".join(f'"path.{name}" = {json.dumps(value)}' for name, value in target.ids.items() if name != "seq")
    return f"{common}\n[parameters]\n{ids}\n"


if __name__ == "__main__":
    sys.exit(main())
