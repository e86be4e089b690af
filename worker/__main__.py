"""``python -m worker`` runs an inference worker, ``python -m worker beat`` the one process that asks for sweeps."""

import argparse
import os
import sys
from pathlib import Path

from shared.errors import ConfigurationError

# Pillow reads it at import: it keeps the memory of large pictures for the next one (1.1 to 1.6 times faster).
PILLOW_BLOCKS = "16"

WORKER = ["--quiet", "worker", "--without-gossip", "--without-mingle", "--without-heartbeat"]
BEAT = ["--quiet", "beat"]


def main() -> None:
    """Run the program that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m worker", description=__doc__)
    parser.add_argument("program", nargs="?", choices=("infer", "beat"), default="infer")
    parser.add_argument("--ready-file", type=Path, help="touched when the model is warm, and every few seconds after")
    asked = parser.parse_args()
    os.environ.setdefault("PILLOW_BLOCKS_MAX", PILLOW_BLOCKS)
    try:
        from worker import process
        from worker.app import app
    except ConfigurationError as error:
        sys.exit(str(error))
    if asked.ready_file:
        asked.ready_file.unlink(missing_ok=True)
        os.environ[process.READY_FILE] = str(asked.ready_file)
    if asked.program == "beat":
        app.start(BEAT)
    else:
        app.worker_main(WORKER)


if __name__ == "__main__":
    main()
