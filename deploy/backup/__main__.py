"""``python -m deploy.backup create | verify | restore FOLDER``: backup and restore of an installation.

The servers are those of the ``PHYTOBATCH_*`` variables. Redis needs no backup: it carries wake-ups without content.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from deploy.backup.create import create
from deploy.backup.errors import BackupError
from deploy.backup.folder import BackupFolder
from deploy.backup.restore import restore
from deploy.backup.verify import verify
from shared.errors import PhytobatchError
from shared.settings import get_settings
from shared.usage import told_by

PRIVATE = 0o077


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


ACTIONS: dict[str, tuple[Callable[[argparse.Namespace], str], str]] = {
    "create": (_create, "back up the database, then the bucket, while everything runs"),
    "verify": (_verify, "read a backup again and compare it with its checksums"),
    "restore": (_restore, "restore into an empty database and an empty bucket"),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.backup", description=told_by(__doc__))
    actions = parser.add_subparsers(dest="action", required=True)
    for name, (_, words) in ACTIONS.items():
        action = actions.add_parser(name, help=words, description=words)
        action.add_argument("folder", type=Path, help="of the backup")
        if name == "create":
            action.add_argument(
                "--previous", type=Path, metavar="FOLDER", help="an earlier backup on the same disk: link what it has"
            )
        if name != "verify":
            action.add_argument("--programs", type=Path, metavar="FOLDER", help="where pg_dump and pg_restore are")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one action; exit status 0, 1 with a sentence, 2 for usage."""
    options = _parser().parse_args(arguments)
    os.umask(PRIVATE)
    try:
        print(ACTIONS[options.action][0](options))
    except (BackupError, PhytobatchError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
