"""``python -m phytobatch``: the same as ``phytobatch``."""

from __future__ import annotations

import sys

from phytobatch.cli import main

sys.exit(main())
