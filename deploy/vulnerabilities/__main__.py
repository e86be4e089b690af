"""``python -m deploy.vulnerabilities audit`` asks an advisory database about every pinned package (needs a network).

``known FOLDER`` searches advisories on this machine; ``sbom FOLDER`` lists the packages of each image.
Exit status 0; 1 if there is something to do; 2 if nothing can be said.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from deploy.vulnerabilities import sbom
from deploy.vulnerabilities.advisories import read_folder
from deploy.vulnerabilities.audit import audit
from deploy.vulnerabilities.errors import VulnerabilitiesError
from deploy.vulnerabilities.known import find
from deploy.vulnerabilities.locks import IMAGES, lock_files, read_lock
from shared.usage import description_of

TODO, UNKNOWN = 1, 2


def _audit(options: argparse.Namespace) -> int:
    arguments = ["--vulnerability-service", options.service]
    if options.osv_url:
        arguments += ["--osv-url", options.osv_url]
    todo = 0
    for lock in options.locks or lock_files():
        problems = audit(lock, arguments)
        todo += len(problems)
        print(f"{lock.name}: {len(read_lock(lock))} packages, {len(problems)} with known problems")
        for problem in problems:
            print(f"  {problem}")
    return TODO if todo else 0


def _known(options: argparse.Namespace) -> int:
    locks = {path.stem: read_lock(path) for path in lock_files()}
    names = {pin.name for pins in locks.values() for pin in pins}
    findings = find(locks, read_folder(options.folder, names))
    for finding in findings:
        print(finding)
    print(f"{len(names)} packages, {len(findings)} with known problems, {sum(1 for f in findings if f.fixed_in)} fixed")
    return TODO if any(finding.fixed_in for finding in findings) else 0


def _sbom(options: argparse.Namespace) -> int:
    options.folder.mkdir(parents=True, exist_ok=True)
    for image in IMAGES:
        print(sbom.write(image, options.folder))
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="python -m deploy.vulnerabilities", description=description_of(__doc__))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text)
        sub.set_defaults(run=run)
        return sub

    auditing = command("audit", _audit, "ask an advisory database about every pinned package")
    auditing.add_argument("locks", nargs="*", type=Path, help="default: all of deploy/locks")
    auditing.add_argument("--service", choices=("pypi", "osv"), default="pypi", help="which database")
    auditing.add_argument("--osv-url", help="another address of the database of OSV")
    command("known", _known, "search advisories of OSV in a folder").add_argument("folder", type=Path)
    command("sbom", _sbom, "list the packages of each image").add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except VulnerabilitiesError as error:
        print(f"Nothing can be said: {error}", file=sys.stderr)
        return UNKNOWN


if __name__ == "__main__":
    sys.exit(main())
