"""``python -m client``: the same as ``phytobatch``."""

import sys

from client.cli import main

sys.exit(main())
