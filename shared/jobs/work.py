"""Work: what a job costs, in tiles. A whole photograph is one, and so is one whose head could not be read.

Every sum is made of the same numbers, those of ``image_heads``, whoever stores a result: so what is done never passes
what there is. Of jobs without tiling nothing is summed, since their counts say it all.
"""

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.db.models import Job

# Of a row with job_id and seq. A scalar subquery reads the primary key once for each row, whatever the statistics say.
WORK = "coalesce((SELECT h.tiles FROM image_heads h WHERE h.job_id = {0}.job_id AND h.seq = {0}.seq), 1)"
# The work of results that a statement has written, given their common table expression with job_id, seq and status.
# What is rejected is never worked on.
WORKED = f"worked AS (SELECT coalesce(sum({WORK}), 0) AS work FROM {{0}} WHERE status <> 'rejected')"  # noqa: S608  # above
# In an UPDATE of their job. Where nothing is summed, `worked` is not read: an expression is evaluated as far as needed.
WORK_DONE = "CASE WHEN work_total IS NULL THEN work_done ELSE work_done + (SELECT work FROM worked) END"
COUNT = text(
    f"""
    UPDATE jobs SET work_total = counted.total, work_done = counted.done
    FROM (SELECT coalesce(sum(w.work), 0) AS total, coalesce(sum(w.work) FILTER (WHERE w.status IS NOT NULL), 0) AS done
          FROM (SELECT r.status, {WORK.format("i")} AS work FROM images i LEFT JOIN LATERAL (
                    SELECT r.seq, r.status FROM results r WHERE r.job_id = i.job_id AND r.seq >= i.seq
                    ORDER BY r.seq LIMIT 1) r ON r.seq = i.seq
                WHERE i.job_id = :job) AS w
          WHERE w.status IS DISTINCT FROM 'rejected') AS counted
    WHERE id = :job
    """  # noqa: S608  # above
)


def count_work(session: Session, job: Job) -> None:
    """Count the work of a tiled job and what is done of it, once its heads are read or its results are forgotten.

    The caller holds the lock of the job's row.
    """
    if job.tiling is not None:
        session.execute(COUNT, {"job": job.id})
        session.refresh(job)
