"""``python -m api.admin COMMAND``."""

import sys

import structlog

from api.admin.program import main

# Standard output is the command's answer alone.
structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
sys.exit(main())
