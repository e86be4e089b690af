"""From ``.env.example`` to a ``.env`` with random secrets. Standard library only: it runs on a bare host."""

import os
import re
from pathlib import Path

from deploy.local.state import new_api_key, new_secret

# A line of a secret; shared.settings.EXAMPLE_SECRET is what every program refuses.
EXAMPLE = re.compile(r"^(PHYTOBATCH_\w+)=change-this$", re.MULTILINE)
SPECIAL = {"PHYTOBATCH_BOOTSTRAP_API_KEY": new_api_key}


def fill(example: str) -> str:
    """Return the text of ``.env.example`` with a random value for each secret."""
    return EXAMPLE.sub(lambda line: f"{line[1]}={SPECIAL.get(line[1], new_secret)()}", example)


def write(example: Path, target: Path) -> None:
    """Write ``target`` with mode 0600.

    Raises:
        FileExistsError: it exists already; its secrets may be those of databases.
        FileNotFoundError: there is no ``example``.
    """
    text = fill(example.read_text(encoding="utf-8"))
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
