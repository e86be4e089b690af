"""``python -m worker`` runs an inference worker, ``python -m worker beat`` the one process that requests sweeps.

``python -m worker deliver`` delivers webhooks.
"""

import argparse
import os
import sys
from pathlib import Path

from shared.environment import forget_empty
from shared.errors import ConfigurationError
from shared.settings import get_settings
from shared.usage import description_of
from worker.heap import share_one_heap
from worker.ready import READY_FILE

# Pillow reads it at import and keeps the memory of large pictures for the next one (1.1 to 1.6 times faster).
PILLOW_BLOCKS = "16"

WORKER = ["--quiet", "worker", "--without-gossip", "--without-mingle", "--without-heartbeat"]
BEAT = ["--quiet", "beat"]


def main() -> None:
    """Run the program that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m worker", description=description_of(__doc__))
    parser.add_argument("program", nargs="?", choices=("infer", "beat", "deliver"), default="infer")
    parser.add_argument(
        "--ready-file",
        type=Path,
        help="file to touch when the program is ready, and every few seconds after",
    )
    arguments = parser.parse_args()
    try:
        if arguments.program == "deliver":
            _deliver(arguments.ready_file)
        else:
            _celery(arguments.program, arguments.ready_file)
    except ConfigurationError as error:
        sys.exit(str(error))


def _deliver(ready: Path | None) -> None:
    from worker.webhooks.process import deliver

    deliver(get_settings(), ready=ready)


def _celery(program: str, ready: Path | None) -> None:
    forget_empty(os.environ)
    share_one_heap()
    os.environ.setdefault("PILLOW_BLOCKS_MAX", PILLOW_BLOCKS)
    from worker.app import app

    if ready:
        ready.unlink(missing_ok=True)
        os.environ[READY_FILE] = str(ready)
    if program == "beat":
        app.start(BEAT)
    else:
        app.worker_main(WORKER)


if __name__ == "__main__":
    main()
