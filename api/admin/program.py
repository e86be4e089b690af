"""``python -m api.admin COMMAND``: the operator's commands. ``--as NAME`` says who runs one, for the audit log.

Exit status 0; 1 for a refusal, with a sentence that says why, and for what `doctor` found; 2 for usage.
"""

import argparse
import sys
from collections.abc import Sequence

from pydantic import ValidationError

from api.admin import (
    audit,
    classifiers,
    dead_letters,
    doctor,
    jobs,
    keys,
    limits,
    pauses,
    prepare,
    servers,
    tenants,
    webhooks,
    workers,
)
from api.admin.audit import acting_as
from api.admin.command import Verdict
from shared.errors import PhytobatchError
from shared.usage import description_of

PARTS = (
    doctor,
    prepare,
    servers,
    classifiers,
    tenants,
    limits,
    keys,
    jobs,
    workers,
    pauses,
    dead_letters,
    webhooks,
    audit,
)
COMMANDS = tuple(command for part in PARTS for command in part.COMMANDS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command: its answer goes to standard output, a refusal to standard error."""
    parsed = _parser().parse_args(arguments)
    try:
        with acting_as(parsed.person):
            text = parsed.command.run(parsed)
    except ValidationError as error:
        names = ", ".join(f"PHYTOBATCH_{str(e['loc'][0]).upper()} ({e['msg']})" for e in error.errors())
        print(f"The settings are not complete: {names}.", file=sys.stderr)  # noqa: T201  # the command's answer
        return 1
    except PhytobatchError as error:
        print(_sentence(str(error)), file=sys.stderr)  # noqa: T201  # the command's answer
        return 1
    verdict = Verdict(text, 0) if isinstance(text, str) else text
    print(verdict.text)  # noqa: T201  # the command's answer
    return verdict.status


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m api.admin", description="Commands for the operator of Phytobatch.")
    _person(parser, default=None)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        sub = commands.add_parser(command.name, help=command.help, description=description_of(command.run.__doc__))
        command.arguments(sub)
        _person(sub, default=argparse.SUPPRESS)  # what stands before the command holds
        sub.set_defaults(command=command)
    return parser


def _person(parser: argparse.ArgumentParser, default: str | None) -> None:
    """Let the option stand before the command and after it."""
    parser.add_argument(
        "--as",
        dest="person",
        metavar="NAME",
        default=default,
        help="name of the person, for the audit log (default: PHYTOBATCH_OPERATOR, or the user of the machine)",
    )
