"""``python3 -m deploy.compose``: write ``.env`` for ``docker compose`` with random secrets."""

import argparse
import sys
from pathlib import Path

from deploy.compose.secrets import write

HERE = Path(__file__).resolve().parents[2]
# The steps that come after this one in docs/installation.md.
NEXT = 'make images IMAGES="api worker deliverer", then docker compose up -d --wait'


def main(arguments: list[str] | None = None) -> int:
    """Write the file and print the next steps; return exit status 1 if it exists already."""
    parser = argparse.ArgumentParser(prog="python3 -m deploy.compose", description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE / ".env", metavar="FILE", help="default: .env of Compose")
    target = parser.parse_args(arguments).out
    try:
        write(HERE / ".env.example", target)
    except FileExistsError:
        print(
            f"{target} is there already and stays as it is: the database was made with its password. "
            "Remove it only together with the volumes (docker compose down --volumes).",
            file=sys.stderr,
        )
        return 1
    print(f"{target} written, readable by you alone. Next: {NEXT}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
