"""State that the stages of one run share."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from phytobatch.errors import Interrupted
from phytobatch.submission.ledger import Ledger
from phytobatch.submission.outage import Outage
from phytobatch.submission.outcome import Outcome
from phytobatch.submission.reporter import Reporter


@dataclass
class Run:
    """The state of one run of the command; ``patience``: seconds that a file or call may wait for the network."""

    ledger: Ledger
    reporter: Reporter
    outage: Outage
    patience: float
    outcome: Outcome = field(default_factory=Outcome)
    stop: threading.Event = field(default_factory=threading.Event)

    def sleep(self, seconds: float) -> None:
        """Wait, unless the run is to stop.

        Raises:
            Interrupted: it is.
        """
        if self.stop.wait(seconds):
            raise Interrupted("The submission was stopped.")
