"""The rule for the number of workers: KEDA between none and one, a HorizontalPodAutoscaler above (``deploy/chart``)."""

from collections import deque
from math import ceil

from tests.benchmarks.capacity.inputs import Scaling, WorkerClass


class ScalingRule:
    """The rule with its memory: wishes of the last minutes, and when there was work."""

    def __init__(self, rule: Scaling, worker: WorkerClass, *, most: int) -> None:
        self._rule = rule
        self._worker = worker
        self._most = most
        self._wishes: deque[tuple[float, int]] = deque()
        self._active_at = float("-inf")

    def wanted(self, now: float, open_chunks: int, current: int) -> int:
        """Workers at ``now``, by the chunks that are ready or running and the workers that there are."""
        if open_chunks > self._worker.activation_chunks:
            self._active_at = now
        if self._worker.min_replicas == 0 and now - self._active_at >= self._rule.cooldown_seconds:
            return 0
        if current == 0:
            return 1
        return self._stable(now, self._wish(open_chunks, current), current)

    def _wish(self, open_chunks: int, current: int) -> int:
        share = self._worker.chunks_per_replica
        if abs(open_chunks / (current * share) - 1) <= self._rule.tolerance:
            return current
        least = max(1, self._worker.min_replicas)
        at_once = max(2 * current, current + self._rule.add_pods)
        return min(max(ceil(open_chunks / share), least), self._most, at_once)

    def _stable(self, now: float, wish: int, current: int) -> int:
        self._wishes.append((now, wish))
        while self._wishes[0][0] < now - self._rule.stabilization_seconds:
            self._wishes.popleft()
        return wish if wish >= current else min(current, max(number for _, number in self._wishes))
