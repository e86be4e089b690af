"""A connection that is lost while a person watches."""

from __future__ import annotations

import time

from phytobatch.errors import ApiError, NetworkError
from phytobatch.terminal.output import Output
from phytobatch.words import in_time

# A restart of the server, or a proxy that ends long answers, is over before that and nobody's business.
LASTING_SECONDS = 3.0


class Connection:
    """The state of the connection; says once that it is lost, when that lasts, and once that it is back."""

    def __init__(self, output: Output, patience: float) -> None:
        """Begin with a connection; ``patience``: seconds to wait for a lost one."""
        self._output = output
        self._patience = patience
        self._lost_at: float | None = None
        self._said = False

    @property
    def silent_seconds(self) -> float | None:
        """Seconds since it was lost; None while it is there, or lost for too short a time to mention."""
        return time.monotonic() - self._lost_at if self._said and self._lost_at is not None else None

    def lost(self, error: Exception, pause: float) -> None:
        """Note a failed attempt; the next one comes after ``pause`` seconds."""
        now = time.monotonic()
        self._lost_at = now if self._lost_at is None else self._lost_at
        if not self._said and now + pause - self._lost_at >= LASTING_SECONDS:
            self._said = True
            self._output.note(f"connection lost ({_reason(error)}); trying again for up to {in_time(self._patience)}")

    def back(self) -> None:
        """Note a successful attempt."""
        if self._said:
            self._output.note("connected again")
        self._lost_at, self._said = None, False


def _reason(error: Exception) -> str:
    if isinstance(error, NetworkError):
        return error.reason
    return f"{error.status} {error.code}" if isinstance(error, ApiError) else str(error)
