"""Running the checks, and printing their findings."""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from types import ModuleType

from botocore.exceptions import BotoCoreError, ClientError
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from urllib3.exceptions import HTTPError

from api.admin.command import Command, Verdict
from api.admin.doctor.finding import Check, Finding, Level, fail
from api.admin.doctor.subject import Subject
from shared.errors import ConfigurationError, PhytobatchError
from shared.settings import get_settings

# What a server that is away or refuses something raises. Anything else is a fault of ours and may end the command.
FAULTS = (PhytobatchError, SQLAlchemyError, RedisError, BotoCoreError, ClientError, HTTPError, OSError)
INDENT = " " * 6


def commands(parts: Sequence[ModuleType]) -> tuple[Command, ...]:
    """Make the command, over the checks of these modules."""

    def run(arguments: argparse.Namespace) -> Verdict:
        """Check connections and encryption, migrations, clocks, bucket, classifiers, webhooks, work and backups.

        Writes, reads and removes a probe object, and changes nothing else. Exit status 1 where a line says FAIL.
        """
        findings = _examine(parts)
        output = json.dumps([asdict(one) for one in findings], indent=1) if arguments.json else _text(findings)
        return Verdict(output, int(any(one.level is Level.FAIL for one in findings)))

    return (Command("doctor", "check everything, and say what to do", run, _arguments),)


def _examine(parts: Sequence[ModuleType]) -> list[Finding]:
    try:
        settings = get_settings()
    except ConfigurationError as error:
        return [fail("settings", str(error), "set these variables for every program alike")]
    with Subject(settings).at_hand() as subject:
        return [one for part in parts for one in _part(part.CHECKS, subject)]


def _part(checks: Sequence[Check], subject: Subject) -> Iterator[Finding]:
    for number, check in enumerate(checks):
        findings = list(_run(check, subject))
        yield from findings
        if number == 0 and any(one.level is Level.FAIL for one in findings):
            return


def _run(check: Check, subject: Subject) -> Iterator[Finding]:
    """Run a check; a fault in the middle of it is one more finding."""
    try:
        yield from check(subject)
    except FAULTS as error:
        name = check.__name__.replace("_", " ")
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        yield fail(name, what, "look at the lines above: what this check stands on is not well")


def _text(findings: Sequence[Finding]) -> str:
    width = max(len(one.check) for one in findings)
    lines = []
    for one in findings:
        lines.append(f"{one.level:<4}  {one.check:<{width}}  {one.said}")
        if one.do:
            lines.append(f"{INDENT}{'':<{width}}  -> {one.do}")
    bad = {level: sum(one.level is level for one in findings) for level in Level}
    return "\n".join([*lines, f"{bad[Level.OK]} OK, {bad[Level.WARN]} WARN, {bad[Level.FAIL]} FAIL"])


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="a list of {level, check, said, do}")
