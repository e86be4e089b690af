"""The command ``phytobatch``: parse, run one command of the table, turn errors into words and exit codes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from phytobatch import exit_codes
from phytobatch.commands import COMMANDS
from phytobatch.commands.command import Command, Context, Group
from phytobatch.commands.options import common_options
from phytobatch.configuration import DEFAULT_URL, KEY_VARIABLE, URL_VARIABLE
from phytobatch.errors import ApiError, PhytobatchError
from phytobatch.exit_codes import MEANINGS, ExitCode
from phytobatch.terminal.ctrl_c import CtrlC
from phytobatch.terminal.output import Output
from phytobatch.terminal.streams import let_go

DESCRIPTION = "Classify the plant photographs of a drone flight or a greenhouse round."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code (see ``phytobatch --help``)."""
    sys.stdout, sys.stderr = _tolerant(sys.stdout), _tolerant(sys.stderr)
    CtrlC().install()
    options = build_parser().parse_args(arguments)
    output = Output(as_json=options.json, quiet=options.quiet, no_color=options.no_color)
    command: Command = options.command
    try:
        code = int(command.run(Context(options, output)))
        sys.stdout.flush()  # What cannot be written is said here, and not by Python at its end.
    except BrokenPipeError:
        # Whoever read our answer has seen enough ("phytobatch results … | head"). Python would complain at exit.
        let_go(sys.stdout)
        return ExitCode.OK
    except OSError as error:  # A full disk behind stdout; what files can do wrong has sentences of its own.
        let_go(sys.stdout)
        output.error(f"{error.filename or 'The answer'} cannot be read or written: {error.strerror or error}.")
        return ExitCode.UNEXPECTED
    except KeyboardInterrupt:
        output.error("interrupted")
        return ExitCode.INTERRUPTED
    except PhytobatchError as error:
        _explain(output, error)
        return exit_codes.of_error(error)
    return code


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of the whole command line from the table of commands."""
    parser = argparse.ArgumentParser(
        prog="phytobatch",
        description=DESCRIPTION,
        epilog=_epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    common_options(parser, at_top=True)
    _add_commands(parser, COMMANDS)
    return parser


def _add_commands(parser: argparse.ArgumentParser, table: Sequence[Command | Group]) -> None:
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for row in table:
        sub = commands.add_parser(
            row.name,
            help=row.help,
            description=row.description or row.help,
            epilog=None if isinstance(row, Group) else _examples(row),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            # "--key pb_…" must not be taken for "--key-file", and a later option must not change what a script means.
            allow_abbrev=False,
        )
        if isinstance(row, Group):
            _add_commands(sub, row.commands)
        else:
            row.add_arguments(sub)
            sub.set_defaults(command=row)
        common_options(sub, at_top=False)


def _examples(command: Command) -> str:
    return "examples:\n" + "\n".join(f"  {example}" for example in command.examples)


def _epilog() -> str:
    codes = "\n".join(f"  {code.value:>3}  {meaning}" for code, meaning in MEANINGS.items())
    return f"""\
environment:
  {URL_VARIABLE}      address of the server (default {DEFAULT_URL})
  {KEY_VARIABLE}  the API key; or --key-file. There is no option for the key
                      itself: every user of the machine could read it.
  NO_COLOR            no colours

exit codes:
{codes}

phytobatch COMMAND --help shows the options and examples of a command."""


def _explain(output: Output, error: PhytobatchError) -> None:
    output.error(str(error))
    if isinstance(error, ApiError) and error.request_id:
        output.note(f"({error.status} {error.code}, request {error.request_id})")
    if output.as_json:
        output.document({"error": _as_json(error)})


def _as_json(error: PhytobatchError) -> dict[str, object]:
    about: dict[str, object] = {"kind": type(error).__name__, "message": str(error)}
    if isinstance(error, ApiError):
        about |= {"status": error.status, "code": error.code, "request_id": error.request_id}
    return about


def _tolerant(stream: TextIO | None) -> TextIO:
    """Return the stream, escaping what its encoding lacks; one that was closed before us takes everything."""
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    return stream


if __name__ == "__main__":
    sys.exit(main())
