"""The time that the service needed to come back, read from what it stored."""

from collections.abc import Sequence
from typing import Any

import psycopg

from tests.chaos.nemesis import Fault

SILENCE = """
    WITH moments AS (
        SELECT DISTINCT finished_at AS at FROM results
        UNION SELECT committed_at FROM jobs WHERE committed_at IS NOT NULL),
    gaps AS (SELECT at AS since, lead(at) OVER (ORDER BY at) AS until FROM moments)
    SELECT extract(epoch FROM until - since), extract(epoch FROM since) FROM gaps g
    WHERE until IS NOT NULL AND EXISTS (
        SELECT 1 FROM jobs j WHERE j.committed_at <= g.since AND coalesce(j.finished_at, 'infinity') >= g.until)
    ORDER BY 1 DESC LIMIT 1
"""
CHUNK = "SELECT extract(epoch FROM done_at) FROM chunks WHERE job_id = %s AND no = %s"


def longest_silence(sql: psycopg.Connection[Any]) -> tuple[float, float]:
    """Longest time without a new result while a job waited, in seconds, and when it began (Unix seconds)."""
    row = sql.execute(SILENCE).fetchone()
    return (0.0, 0.0) if row is None else (float(row[0]), float(row[1]))


def longest_recovery(sql: psycopg.Connection[Any], faults: Sequence[Fault]) -> tuple[float, int]:
    """From the kill of a worker to the end of a chunk that it held: the longest, and of how many chunks."""
    seconds = []
    for fault in faults:
        for job_id, no in fault.chunks:
            row = sql.execute(CHUNK, [job_id, no]).fetchone()
            if row is not None and row[0] is not None and float(row[0]) > fault.at:
                seconds.append(float(row[0]) - fault.at)
    return max(seconds, default=0.0), len(seconds)
