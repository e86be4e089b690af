"""A terminal of 80 columns with a program in it."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence

from tests.patience import PATIENCE_SECONDS

COLUMNS, ROWS = 80, 24
STEERING = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[(?:\d+;)*[39][0-8]")


class Terminal:
    """Keeps what the program wrote; a process group of its own, as a shell gives it."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.written = ""
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.process = subprocess.Popen(
            command, env=dict(environment), stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)

    @property
    def rows(self) -> list[str]:
        """The text that was written, row by row, without control sequences."""
        return re.split(r"[\r\n]+", STEERING.sub("", self.written))

    def wait_for(self, text: str) -> None:
        """Read until it stands there."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while text not in STEERING.sub("", self.written):
            assert time.monotonic() < deadline, self.written
            assert self._read(), f"the program ended: {self.written}"

    def end(self) -> int:
        """Read to the end; the exit code."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        try:
            while self._read():
                assert time.monotonic() < deadline, self.written
        finally:
            self.close()
        return self.process.returncode

    def close(self) -> None:
        """End the program if it still runs: a test that fails leaves nothing to those after it."""
        os.close(self._master)
        try:
            self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _read(self) -> bool:
        """Read what comes; return True while the program can still write."""
        ready, _, _ = select.select([self._master], [], [], 0.2)
        if not ready:
            return True
        try:
            block = os.read(self._master, 65536)
        except OSError:  # Linux says so when the last process has closed the other side.
            return False
        self.written += block.decode(errors="replace")
        return bool(block)
