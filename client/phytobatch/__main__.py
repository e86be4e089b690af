"""``python -m phytobatch``: the same as ``phytobatch``."""

import sys

from phytobatch.cli import main

sys.exit(main())
