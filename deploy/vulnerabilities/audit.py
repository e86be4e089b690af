"""The audit: pip-audit over every lock, with a network. A package that it leaves out makes the whole audit fail.

pip-audit skips a package that its database does not know, or that it cannot ask about, and ends with status 0; it also
passes over pins for another Python. So each pin must have an answer in its report.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import Version

from deploy.vulnerabilities import tools
from deploy.vulnerabilities.accepted import ACCEPTED
from deploy.vulnerabilities.errors import NotComplete
from deploy.vulnerabilities.locks import Pin, read_lock, rounds

CLEAN, FOUND = 0, 1


@dataclass(frozen=True, slots=True)
class Problem:
    """A pinned version with a known problem."""

    package: str
    version: str
    id: str
    fixed_in: tuple[str, ...]

    def __str__(self) -> str:
        cure = f"fixed in {', '.join(self.fixed_in)}" if self.fixed_in else "no fix yet"
        return f"{self.package} {self.version}: {self.id} ({cure})"


def audit(lock: Path, options: Sequence[str] = ()) -> list[Problem]:
    """Ask about every package of a lock.

    Args:
        lock: the file.
        options: for pip-audit, as ``--vulnerability-service osv``.

    Raises:
        NotComplete: a package was skipped, or pip-audit could not ask; nothing is clean then.
        ToolMissing: pip-audit is not installed.
    """
    return [problem for pins in rounds(read_lock(lock)) for problem in _ask(lock.name, pins, options)]


def _ask(lock: str, pins: Sequence[Pin], options: Sequence[str]) -> list[Problem]:
    with TemporaryDirectory() as folder:
        requirements = Path(folder) / lock
        requirements.write_text("".join(pin.line() for pin in pins), encoding="utf-8")
        done = tools.run(
            "pip-audit", "--requirement", requirements, "--require-hashes", "--disable-pip", "--format", "json",
            "--progress-spinner", "off", *(word for known in ACCEPTED for word in ("--ignore-vuln", known)), *options,
        )  # fmt: skip
    if done.returncode not in (CLEAN, FOUND) or not done.stdout.strip():
        raise NotComplete(f"{lock}: pip-audit could not ask: {_last_line(done.stderr)}")
    return judge(lock, pins, json.loads(done.stdout))


def judge(lock: str, pins: Iterable[Pin], report: Mapping[str, Any]) -> list[Problem]:
    """Read the problems in a report of pip-audit, which must answer for every pin.

    Raises:
        NotComplete: a pin is not in the report, or was skipped.
    """
    expected = {(pin.name, pin.version) for pin in pins}
    answers = [entry for entry in report["dependencies"] if "skip_reason" not in entry]
    missing = expected - {(canonicalize_name(entry["name"]), Version(entry["version"])) for entry in answers}
    if missing:
        names = ", ".join(sorted(f"{name} {version}" for name, version in missing))
        reasons = sorted({entry["skip_reason"] for entry in report["dependencies"] if "skip_reason" in entry})
        because = f"; pip-audit says: {reasons[0]}" if reasons else ""
        raise NotComplete(
            f"{lock}: {len(missing)} of {len(expected)} packages were not audited{because}. Left out: {names}"
        )
    return [
        Problem(entry["name"], entry["version"], problem["id"], tuple(problem["fix_versions"]))
        for entry in answers
        for problem in entry["vulns"]
    ]


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing"
