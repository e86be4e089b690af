"""What a library writes to the standard error of the process by itself, below Python.

On some processors TensorFlow 2.21 announces how it was built before its own log level counts. An operator who reads
JSON lines, or a person who asked for a table, has no use for that.
"""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

# Absl's notes (a severity, four digits of the date, a time), and its sentence that it has not been set up yet.
CHATTER = re.compile(rb"I\d{4} |WARNING: All log messages before absl::InitializeLog\(\)|To enable the following instr")
STDERR = 2


@contextmanager
def without_chatter() -> Iterator[None]:
    """Leave out notes that are written to file descriptor 2 in the block; everything else is written at its end."""
    sys.stderr.flush()
    try:
        kept = os.dup(STDERR)
    except OSError:  # A process without standard error.
        yield
        return
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), STDERR)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, STDERR)
            os.close(kept)
            file.seek(0)
            for line in file:
                if not CHATTER.match(line):
                    os.write(STDERR, line)
