"""Ctrl-C that is not lost.

Python raises ``KeyboardInterrupt`` wherever the main thread happens to be. Where that is a finalizer (an answer or a
connection that is let go of) the interrupt is dropped: CPython clears every exception that leaves the ``close()`` of an
``io.IOBase`` that is being finalized (from 3.13 on it prints them, as it does for other finalizers), and goes on. So an
interrupt that comes while something is being closed is put off for a moment.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType

CLOSING = frozenset({"__del__", "close", "closed", "_close_conn", "_close_pool_connections"})
PAUSE_SECONDS = 0.05
# Something that closes for so long is no finalizer; whoever presses Ctrl-C then means that too.
MAX_PAUSES = 20


class CtrlC:
    """The handler of SIGINT in the main thread."""

    def __init__(self) -> None:
        self._pauses = 0

    def install(self) -> None:
        """Take the place of Python's own handler, and of no other."""
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Interrupt the main thread, or try again when it has closed what it is closing.

        Raises:
            KeyboardInterrupt: in the main thread, wherever it is.
        """
        if is_closing(frame) and self._pauses < MAX_PAUSES:
            self._pauses += 1
            again = threading.Timer(PAUSE_SECONDS, _interrupt, [number])
            again.daemon = True
            again.start()
            return
        self._pauses = 0
        raise KeyboardInterrupt


def is_closing(frame: FrameType | None) -> bool:
    """Return whether this frame, or one that it was called from, closes something."""
    while frame is not None:
        if frame.f_code.co_name in CLOSING:
            return True
        frame = frame.f_back
    return False


def _interrupt(number: int) -> None:
    """Signal the main thread, which also wakes it while it waits for the network."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, number)
    else:
        signal.raise_signal(number)
