"""``python -m deploy.local up | down | status | clean | demo | admin``: Phytobatch on a machine without containers."""

import argparse
import sys
from pathlib import Path

from deploy.local.control import admin, clean, down, status, up
from deploy.local.demo import demo
from deploy.local.errors import LocalStackError
from deploy.local.folder import DATA_VARIABLE, DataFolder, chosen_folder
from shared.usage import description_of

COMMANDS = {
    "up": (up, "run the stack until Ctrl-C"),
    "down": (down, "stop the stack that runs on the data folder"),
    "status": (status, "say what runs"),
    "clean": (clean, "remove the data folder"),
}


def parser() -> argparse.ArgumentParser:
    """Build the parser of the command line."""
    main_parser = argparse.ArgumentParser(
        prog="python -m deploy.local",
        description=description_of(__doc__),
        epilog=f"The data folder is .data, or {DATA_VARIABLE}.",
    )
    commands = main_parser.add_subparsers(dest="command", required=True)
    for name, (_, text) in COMMANDS.items():
        commands.add_parser(name, help=text)
    demo_parser = commands.add_parser("demo", help="classify photos from end to end, and stop")
    demo_parser.add_argument("--dir", type=Path, metavar="PHOTOS", help="your photos; without it, synthetic ones")
    admin_parser = commands.add_parser("admin", help="run `python -m api.admin` for the stack that runs")
    admin_parser.add_argument("operator", nargs=argparse.REMAINDER, metavar="COMMAND", help="and its options")
    return main_parser


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = parser().parse_args(arguments)
    folder: DataFolder = DataFolder(chosen_folder())
    try:
        return _run(options, folder)
    except LocalStackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(options: argparse.Namespace, folder: DataFolder) -> int:
    if options.command == "demo":
        return demo(folder, options.dir)
    if options.command == "admin":
        return admin(folder, options.operator)
    return COMMANDS[options.command][0](folder)


if __name__ == "__main__":
    sys.exit(main())
