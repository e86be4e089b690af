"""PostgreSQL in the simulation: a chunk's results wait for the lock of their job, and all chunks for the server."""

from tests.benchmarks.capacity.inputs import Work


class DatabaseServer:
    """Two queues in one: so many chunks a second at most, and one write at a time for each job."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._free_at = 0.0
        self._job_free_at: dict[int, float] = {}

    def write(self, job: int, now: float) -> float:
        """When the results of a chunk that was classified at ``now`` are stored, and its slot is free."""
        begins = max(now, self._free_at, self._job_free_at.get(job, 0.0))
        self._free_at = max(now, self._free_at) + 1 / self._work.database_chunks_per_second
        stored = begins + self._work.write_seconds
        self._job_free_at[job] = stored
        return stored + self._work.round_trip_seconds
