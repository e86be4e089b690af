"""The message that the deliverer hands to the sender, and the attempt that comes back."""

import uuid
from dataclasses import dataclass, field

from shared.contracts.states import AttemptError


@dataclass(frozen=True, slots=True)
class Message:
    """One POST to make. ``body`` and ``webhook_id`` are the same at every attempt.

    ``secrets``: the valid ones, newest first; one signature each. ``timestamp``: Unix seconds by the clock of the
    database, when the attempt was claimed.
    """

    delivery_id: uuid.UUID
    webhook_id: str
    url: str
    body: bytes = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    timestamp: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One finished attempt.

    ``status`` of the receiver if it answered; ``error`` if it did not, or answered with a redirect; ``retry_after``:
    the receiver's seconds; ``response``: the first kilobyte of its answer as text, without U+0000.
    """

    milliseconds: int
    status: int | None = None
    error: AttemptError | None = None
    retry_after: float | None = None
    response: str | None = None

    @property
    def delivered(self) -> bool:
        """True if the receiver has the message: it answered with 2xx."""
        return self.error is None and self.status is not None and 200 <= self.status < 300  # noqa: PLR2004  # HTTP
