"""``python -m tests.contract.openapi.keep``: write the kept document of a version that is not released yet."""

import json
import sys

from tests.contract.openapi.kept import FIRST, current_document, current_version, path_of


def main() -> int:
    """Write the document of today; refuse once the version is released, because clients were written by it."""
    if current_version() != FIRST:
        sys.stderr.write(f"{path_of(FIRST).name} is the contract of a released version; it is not written again\n")
        return 1
    path_of(FIRST).write_text(json.dumps(current_document(), indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
