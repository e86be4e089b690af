"""An earlier version of the programs, out of the history of this repository."""

import io
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from shared.db.schema import alembic_config
from tests.acceptance.system import ROOT
from tests.patience import PATIENCE_SECONDS

PARTS = ("api", "client", "deploy", "migrations", "shared", "worker")
STARTS = "import api.main, worker.process, worker.inference.pipeline, shared.settings"


def unpack(into: Path, *, without: str | None = None) -> Path:
    """Unpack the newest version whose tables are older than ours, or than the migration ``without``; its folder.

    That is the commit before the one that brought our newest migration, or before the one that brought the one before
    that, and so on: between two releases there may be commits that are half a change and do not start.
    """
    for added in _migrations(without or "head"):
        commit = _git("log", "--diff-filter=A", "--format=%H", "-1", "--", str(added.relative_to(ROOT)))
        before = f"{commit}^" if commit else "HEAD"
        if _git("rev-parse", "--verify", "--quiet", f"{before}^{{commit}}"):
            code = into / f"before-{added.stem}"
            _extract(before, code)
            if _starts(code):
                return code
    pytest.skip(
        "the history of this repository is not here (a shallow clone, or an archive): no earlier version to run"
    )


def _migrations(newest: str) -> Iterator[Path]:
    """Our migrations from one on, newest first, without the very first one: before it there was nothing."""
    scripts = ScriptDirectory.from_config(alembic_config())
    yield from (Path(script.path) for script in scripts.walk_revisions(head=newest) if script.down_revision is not None)


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )
    except FileNotFoundError:
        pytest.skip("git is not installed: no earlier version to run")
    return done.stdout.strip() if done.returncode == 0 else ""


def _extract(commit: str, into: Path) -> None:
    command = ["git", "archive", "--format=zip", commit, *PARTS]
    archive = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=PATIENCE_SECONDS, check=True)
    with zipfile.ZipFile(io.BytesIO(archive.stdout)) as files:
        files.extractall(into)


def _starts(code: Path) -> bool:
    return subprocess.run([sys.executable, "-c", STARTS], cwd=code, capture_output=True, check=False).returncode == 0
