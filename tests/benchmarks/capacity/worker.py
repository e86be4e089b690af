"""A simulated worker: slots, and two lanes that share its processors, as ``worker/inference/pipeline.py`` has them."""

from collections import deque
from dataclasses import dataclass

from tests.benchmarks.capacity.fair_queue import Chunk, Rank

# Images: less is rounding. The clock of a day resolves some 1e-11 s, in which a fast worker does 1e-8 of an image.
ENOUGH = 1e-6


@dataclass(slots=True)
class Held:
    """A chunk in a slot; ``left`` are the images that are not classified yet."""

    chunk: Chunk
    left: float
    express: bool


class Worker:
    """Chunks in a lane run one after the other, at the worker's full speed, or at half of it beside the other lane."""

    def __init__(self, *, images_per_second: float, slots: int, since: float) -> None:
        self.since = since
        self.is_leaving = False
        self.version = 0  # of its plan: an event of an older one is void
        self.busy = 0
        self._rate = images_per_second
        self._free = slots
        self._express_free = 1
        self._bulk: deque[Held] = deque()
        self._urgent: deque[Held] = deque()
        self._at = since

    def can_take_any(self) -> bool:
        """True if a slot is free."""
        return self._free > 0 and not self.is_leaving

    def can_take_urgent(self) -> bool:
        """True if a slot is free for work that is not bulk: an ordinary one, or the express slot."""
        return self._free + self._express_free > 0 and not self.is_leaving

    def take(self, chunk: Chunk, now: float, *, express: bool) -> Held:
        """Begin with a chunk; one that validates uses no processor here."""
        held = Held(chunk, float(chunk.images), express)
        self._occupy(express, 1)
        if not chunk.rank.validates:
            self._advance(now)
            (self._urgent if chunk.rank is Rank.URGENT else self._bulk).append(held)
            self.version += 1
        return held

    def give_back(self, held: Held) -> None:
        """The slot of a chunk that is over."""
        self._occupy(held.express, -1)

    def next_end(self) -> float | None:
        """When the next chunk is classified, if none comes meanwhile."""
        heads = self._heads()
        if not heads:
            return None
        return self._at + max(min(head.left for head in heads), 0.0) * len(heads) / self._rate

    def classified(self, now: float) -> list[Held]:
        """The chunks whose last image is through."""
        self._advance(now)
        self.version += 1
        return [lane.popleft() for lane in (self._urgent, self._bulk) if lane and lane[0].left <= ENOUGH]

    def _occupy(self, express: bool, by: int) -> None:  # noqa: FBT001  # which slot
        self.busy += by
        if express:
            self._express_free -= by
        else:
            self._free -= by

    def _heads(self) -> list[Held]:
        return [lane[0] for lane in (self._urgent, self._bulk) if lane]

    def _advance(self, now: float) -> None:
        """Advance the lanes that have work by an equal share of what the processors did since the last call."""
        heads = self._heads()
        for head in heads:
            head.left -= (now - self._at) * self._rate / len(heads)
        self._at = now
