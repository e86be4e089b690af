"""Threads and bytes of their own for what is urgent, and for all the rest."""

from worker.inference.budget import ByteBudget
from worker.inference.fair_threads import FairThreads


class Lane:
    """Threads and bytes of their own. What is urgent has one, so that it never queues behind a window of bulk images.

    The processor is shared by the operating system: a picture of each lane is decoded at the same time.
    """

    def __init__(
        self, name: str, *, urgent: bool, download_threads: int, decode_threads: int, bytes_in_flight: int
    ) -> None:
        """Start nothing yet; threads come with the first image."""
        self.urgent = urgent
        self.budget = ByteBudget(max(1, bytes_in_flight))
        self.downloads = FairThreads(f"{name}-download", download_threads)
        self.decodes = FairThreads(f"{name}-decode", decode_threads)

    def close(self) -> None:
        """Cancel what has not begun, and wait for what has."""
        self.downloads.close()
        self.decodes.close()
