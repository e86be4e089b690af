"""The schedule of a delivery that failed."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from shared.contracts.states import EventType
from shared.errors import ConfigurationError

# How much later than planned an attempt may come, as a part of the pause: deliveries that failed together do not all
# come back together.
JITTER = 0.1
LONGEST_PAUSE_SECONDS = 30 * 24 * 3600
# Only the newest counts, or somebody waits for the answer: a later attempt would help nobody.
TRIED_ONCE = frozenset({EventType.JOB_PROGRESS, EventType.WEBHOOK_TEST})


@dataclass(frozen=True, slots=True)
class Schedule:
    """The seconds before each attempt, counted from the attempt before.

    ``chance`` gives numbers from 0 to 1; tests give it others.
    """

    pauses: tuple[float, ...]
    chance: Callable[[], float] = field(default=random.random, repr=False)

    @classmethod
    def parse(cls, text: str) -> "Schedule":
        """Read the setting, as ``0,5,300``.

        Raises:
            ConfigurationError: it is no list of numbers that begins with 0.
        """
        try:
            pauses = tuple(float(part) for part in text.split(","))
        except ValueError:
            pauses = ()
        if not pauses or pauses[0] != 0 or not all(0 <= pause <= LONGEST_PAUSE_SECONDS for pause in pauses):
            raise ConfigurationError(
                f"PHYTOBATCH_WEBHOOK_SCHEDULE is {text!r}; write the seconds before each attempt, as 0,5,300,1800: "
                "the first is 0, because the first attempt is made at once, and none is longer than 30 days"
            )
        return cls(pauses)

    def pause_after(self, step: int, event_type: str, *, retry_after: float | None = None) -> timedelta | None:
        """Compute the pause after a failed attempt.

        Args:
            step: which attempt of the schedule failed; the first is 0.
            event_type: some types are tried once.
            retry_after: the seconds that the receiver asked for; they win where they are longer.

        Returns:
            The pause, or ``None`` when that was the last attempt.
        """
        if event_type in TRIED_ONCE or step + 1 >= len(self.pauses):
            return None
        planned = self.pauses[step + 1] * (1 + JITTER * self.chance())
        return timedelta(seconds=max(planned, retry_after or 0.0))
