"""Every program that cannot read its settings says one sentence, names the variable, and shows no trace."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.util import CommandError

from api import __main__ as api
from api.admin import program as admin
from deploy.backup import __main__ as backup
from shared.db.schema import alembic_config
from shared.environment import AUTHORITIES
from shared.settings import get_settings
from tests.patience import PATIENCE_SECONDS
from worker import __main__ as worker

ROOT = Path(__file__).parents[3]
SECRET = "never-shown"  # noqa: S105  # the password in the address below
VARIABLE = "PHYTOBATCH_REDIS_URL"
BAD = f"redis://:{SECRET}#x@127.0.0.1:6379/0"

Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _bad_address(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    given = {VARIABLE: BAD, "PHYTOBATCH_DATABASE_URL": "postgres://h/n", "PHYTOBATCH_S3_BUCKET": "b"}
    for name in AUTHORITIES:  # of this machine: they are read each time, and mean nothing here
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def ended(run: Callable[[], object]) -> int:
    """The exit status; what ``sys.exit`` would print goes where it would."""
    try:
        return int(str(run() or 0))
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(end.code)
            return 1
        return int(end.code or 0)


@pytest.mark.parametrize(
    "run",
    [
        api.main,
        lambda: admin.main(["check-settings"]),
        lambda: admin.main(["migrate"]),
        lambda: admin.main(["doctor"]),
        lambda: backup.main(["create", "nowhere"]),
    ],
    ids=["api", "check-settings", "migrate", "doctor", "backup"],
)
def test_a_program_says_what_is_wrong_and_ends(run: Callable[[], object], capsys: Said) -> None:
    assert ended(run) == 1
    said = "".join(capsys.readouterr())
    assert VARIABLE in said
    assert "%23" in said
    assert SECRET not in said


def test_so_does_the_deliverer(monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
    monkeypatch.setattr(sys, "argv", ["worker", "deliver"])
    assert ended(worker.main) == 1
    assert VARIABLE in capsys.readouterr().err


def test_so_does_alembic() -> None:
    with pytest.raises(CommandError, match=VARIABLE):
        command.current(alembic_config())


def test_alembic_says_where_the_database_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "redis://h")
    monkeypatch.setenv("PHYTOBATCH_DATABASE_URL", f"postgresql://u:{SECRET}@127.0.0.1:1/n")
    with pytest.raises(CommandError, match="cannot be reached") as refused:
        command.current(alembic_config())
    assert SECRET not in str(refused.value)


def test_so_do_celery_s_programs() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "worker", "beat"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 1
    assert VARIABLE in done.stderr
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stderr


def test_good_settings_pass_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "redis://h")
    assert admin.main(["check-settings"]) == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PHYTOBATCH_WEBHOOK_PORTS", "https"),
        ("PHYTOBATCH_WEBHOOK_NETWORKS", "10.0.0.0/33"),
        ("PHYTOBATCH_WEBHOOK_SCHEDULE", "soon"),
        ("PHYTOBATCH_TRUSTED_HOSTS", "https://farm.example"),
        ("PHYTOBATCH_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("PHYTOBATCH_PUBLIC_URL", "https://farm.example/v1"),
        ("PHYTOBATCH_CORS_ORIGINS", "farm.example"),
        ("PHYTOBATCH_CLASSIFIERS", "leaf"),
        ("PHYTOBATCH_BOOTSTRAP_API_KEY", "secret"),
        ("PHYTOBATCH_S3_ACCESS_KEY_ID", "half"),
        ("SSL_CERT_FILE", "/no/such/file"),
        ("AWS_CA_BUNDLE", "/no/such/file"),
    ],
)
def test_what_would_stop_a_program_later_stops_the_check(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: Said
) -> None:
    monkeypatch.setenv(VARIABLE, "redis://h")
    monkeypatch.setenv(name, value)
    assert admin.main(["check-settings"]) == 1
    assert name in capsys.readouterr().err
