"""``python -m deploy.backup create | verify | restore | run | schedule | age | drill FOLDER``: backups.

``create``, ``verify`` and ``restore`` work on one backup, which has a folder of its own. ``run`` makes one of many
backups in a folder, reads it again and removes older ones; ``schedule`` does so every day; ``age`` fails if the newest
is too old; ``drill`` restores the newest one into temporary servers.

The servers are those of the ``PHYTOBATCH_*`` variables. Redis needs no backup: it carries wake-ups without content.
"""

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from deploy.backup.create import create
from deploy.backup.drill import drill, own_servers, same_servers
from deploy.backup.errors import BackupError, FolderUnfit
from deploy.backup.folder import BackupFolder
from deploy.backup.record import BackupEvent, record
from deploy.backup.restore import restore
from deploy.backup.rotation import Rotation
from deploy.backup.run import run
from deploy.backup.schedule import Schedule, keep_running
from deploy.backup.shelf import Shelf
from deploy.backup.verify import verify
from shared.errors import PhytobatchError
from shared.settings import get_settings
from shared.usage import description_of

PRIVATE = 0o077
MAX_HOURS = 24.0 * 365


def _create(options: argparse.Namespace) -> str:
    previous = None if options.previous is None else BackupFolder(options.previous)
    summary = create(
        get_settings(), BackupFolder(options.folder), previous=previous, programs=options.programs, say=print
    )
    return f"{options.folder} is a whole backup of {summary.taken_at}. Keep it private, and on another machine."


def _verify(options: argparse.Namespace) -> str:
    summary = verify(BackupFolder(options.folder))
    return (
        f"{options.folder} is whole: {summary.rows['jobs']} jobs, {summary.objects} objects, taken {summary.taken_at}."
    )


def _restore(options: argparse.Namespace) -> str:
    summary = restore(get_settings(), BackupFolder(options.folder), programs=options.programs, say=print)
    return (
        f"Restored to {summary.taken_at}, migration {summary.migration}. Next: `python -m api.admin migrate`, "
        "`python -m api.admin doctor`, then start the programs."
    )


def _run(options: argparse.Namespace) -> str:
    backup = run(get_settings(), Shelf(options.folder), _rotation(options), programs=options.programs, say=print)
    return f"{backup.folder.path} is a whole backup of {backup.summary.taken_at}, and was read again."


def _schedule(options: argparse.Namespace) -> str:
    shelf, schedule = Shelf(options.folder), Schedule(timedelta(hours=options.every), options.at)

    def say(words: str) -> None:
        print(words, flush=True)

    keep_running(
        schedule,
        lambda: run(get_settings(), shelf, _rotation(options), programs=options.programs, say=say),
        lambda: max((backup.taken_at for backup in shelf.backups()), default=None),
        say,
    )
    return "stopped"


def _drill(options: argparse.Namespace) -> str:
    settings, backups = get_settings(), Shelf(options.folder).backups()
    folder = backups[-1].folder if backups else BackupFolder(options.folder)
    servers = same_servers if options.beside else own_servers
    result = drill(settings, folder, servers, programs=options.programs, say=print)
    record(settings, BackupEvent.DRILLED, folder, result.summary, say=print)
    return (
        f"{folder.path} of {result.summary.taken_at} was restored in {result.seconds:.0f} s, is what was saved, and "
        "is removed again."
    )


def _age(options: argparse.Namespace) -> str:
    backups = Shelf(options.folder).backups()
    if not backups:
        raise FolderUnfit(f"there is no backup in {options.folder} that `run` made")
    hours = (datetime.now(UTC) - backups[-1].taken_at) / timedelta(hours=1)
    sentence = f"the newest backup, {backups[-1].folder.path}, is {hours:.1f} hours old"
    if hours > options.older_than:
        raise FolderUnfit(sentence)
    return sentence


def _rotation(options: argparse.Namespace) -> Rotation:
    return Rotation(options.keep_daily, options.keep_weekly, options.keep_monthly)


ACTIONS: dict[str, tuple[Callable[[argparse.Namespace], str], str]] = {
    "create": (_create, "back up the database, then the bucket, while everything runs"),
    "verify": (_verify, "read a backup again and compare it with its checksums"),
    "restore": (_restore, "restore into an empty database and an empty bucket"),
    "run": (_run, "make one of many backups in a folder, read it again, and remove older ones"),
    "schedule": (_schedule, "keep running, and make one of many backups whenever the next is due"),
    "age": (_age, "print the age of the newest backup; exit status 1 if it is too old, or there is none"),
    "drill": (_drill, "restore the newest backup into temporary servers, and compare it"),
}
OF_MANY = frozenset({"run", "schedule", "age", "drill"})
WITHOUT_PROGRAMS = frozenset({"verify", "age"})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.backup", description=description_of(__doc__))
    actions = parser.add_subparsers(dest="action", required=True)
    for name, (_, words) in ACTIONS.items():
        action = actions.add_parser(name, help=words, description=words)
        action.add_argument("folder", type=Path, help="of many backups" if name in OF_MANY else "of the backup")
        if name not in WITHOUT_PROGRAMS:
            action.add_argument("--programs", type=Path, metavar="FOLDER", help="folder of pg_dump and pg_restore")
        if name in OPTIONS:
            OPTIONS[name](action)
    return parser


def _create_options(action: argparse.ArgumentParser) -> None:
    action.add_argument(
        "--previous", type=Path, metavar="FOLDER", help="an earlier backup on the same disk: link what it has"
    )


def _run_options(action: argparse.ArgumentParser) -> None:
    for period, number in asdict(Rotation()).items():
        action.add_argument(
            f"--keep-{period}", type=_number, default=number, metavar="N", help=f"{period} ones (default: {number})"
        )


def _schedule_options(action: argparse.ArgumentParser) -> None:
    when = action.add_mutually_exclusive_group()
    when.add_argument("--at", type=_time, metavar="HH:MM", help="once a day, by UTC")
    when.add_argument("--every", type=_hours, default=24.0, metavar="HOURS", help="so often (default: 24)")
    _run_options(action)


def _age_options(action: argparse.ArgumentParser) -> None:
    action.add_argument("--older-than", type=_hours, default=48.0, metavar="HOURS", help="too old (default: 48)")


def _drill_options(action: argparse.ArgumentParser) -> None:
    action.add_argument(
        "--beside", action="store_true", help="in a database and a bucket of their own on the installation's servers"
    )


OPTIONS: dict[str, Callable[[argparse.ArgumentParser], None]] = {
    "create": _create_options,
    "run": _run_options,
    "schedule": _schedule_options,
    "age": _age_options,
    "drill": _drill_options,
}


def _number(text: str) -> int:
    if (number := int(text)) < 0:
        raise ValueError
    return number


def _hours(text: str) -> float:
    if not 0 < (hours := float(text)) <= MAX_HOURS:
        raise ValueError
    return hours


def _time(text: str) -> time:
    return datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007  # a time of any day


def main(arguments: list[str] | None = None) -> int:
    """Run one action; return exit status 0, 1 with a sentence, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    os.umask(PRIVATE)
    try:
        print(ACTIONS[options.action][0](options))
    except (BackupError, PhytobatchError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
