"""Turns: the one statement that finds the fairest ready chunk and takes it.

Interactive before bulk; then the tenant with the least running work for its weight (in tiles; a whole photograph, or a
chunk without images, is one); then the oldest job. Exports count apart: images cost no tenant its turn with
exports, nor exports its turn with images. There are three roads to the same chunk, and each is taken only where the one
before it did not do:

1. Where few tenants wait, all of them are compared.
2. Where many wait, most of them have nothing running. Among those the oldest job comes first, so the jobs are looked
   at from the oldest on, until there is one whose tenant has nothing running.
3. Where the oldest jobs all belong to tenants that have something running, all tenants are compared after all.

Each road jumps through an index (a loose index scan) instead of reading every ready chunk, and PostgreSQL evaluates
each only as far as it is asked to: so the cost grows neither with the chunks nor, mostly, with the tenants that wait.
"""

from sqlalchemy import text

from shared.contracts.states import ChunkKind, Priority
from shared.jobs import pauses
from shared.jobs.chunks import PRIORITY_ORDER

# Most tenants that are compared one with another before the oldest jobs are looked at.
FEW = 16
# How many of the oldest jobs are looked at: this many, and this many more for each tenant that has something running.
JOBS = 64
JOBS_PER_TENANT = 2
# Where so many tenants have something running, hardly one of the others has an old job.
MANY_RUNNING = 256

# What counts against the limit of running chunks: classifying bulk images, under a lease that holds.
COUNTED = f"kind = '{ChunkKind.CLASSIFY}' AND priority = {PRIORITY_ORDER[Priority.BULK]} AND lease_until > now()"
READY = "state = 'ready' AND pool = :pool AND priority = :priority"
# Of these tenants nothing is begun but removal.
PAUSED = f"paused AS MATERIALIZED ({pauses.TENANTS} AND :pool <> '{ChunkKind.PURGE}')"
NOT_PAUSED = "{}.tenant_id NOT IN (SELECT tenant_id FROM paused)"
ARE_FEW = f"(SELECT count(*) <= {FEW} FROM few)"  # noqa: S608  # a number of this file


def _tenants(name: str, stop: str = "") -> str:
    """Select the tenants that wait, each with its oldest job, by jumping from one to the next."""
    return f"""
    {name} AS (
        (SELECT 1 AS nth, tenant_id, job_id FROM chunks WHERE {READY} ORDER BY tenant_id, job_id LIMIT 1)
        UNION ALL
        SELECT nth + 1, next.tenant_id, next.job_id FROM {name}, LATERAL (
            SELECT tenant_id, job_id FROM chunks WHERE {READY} AND tenant_id > {name}.tenant_id
            ORDER BY tenant_id, job_id LIMIT 1) AS next {stop})"""  # noqa: S608  # all of it is in this file


def _fair(tenants: str, when: str) -> str:
    """Select these tenants, the fairest first.

    Where the offer is a limited one, tenants that run as many chunks as they may are left out; leases that ran out do
    not count against them, so they never stand in the way of what mends them. Paused tenants are left out, too.
    """
    return f"""
    fair_{tenants} AS MATERIALIZED (
        SELECT w.tenant_id FROM {tenants} w
        JOIN tenants t ON t.id = w.tenant_id LEFT JOIN running r ON r.tenant_id = w.tenant_id
        WHERE {when} AND {NOT_PAUSED.format("w")} AND (NOT :limited OR coalesce(t.max_running_chunks, :max_running) = 0
           OR coalesce(r.counted, 0) < coalesce(t.max_running_chunks, :max_running))
        ORDER BY coalesce(r.work, 0)::real / t.weight, w.job_id)"""  # noqa: S608  # all of it is in this file


# `candidates` is read row by row until `chosen` has one, so the roads behind the first that does are never begun. The
# LATERAL is evaluated for one tenant after the other and locks one row, the one that is returned. A tenant that has
# nothing running is below every limit.
CLAIM = text(
    f"""
    WITH RECURSIVE {PAUSED}, {_tenants("few", f"WHERE nth <= {FEW}")}, {_tenants("every")},
    running AS MATERIALIZED (
        SELECT tenant_id, sum(coalesce(work, last_seq - first_seq + 1)) AS work,
               count(*) FILTER (WHERE {COUNTED}) AS counted
        FROM chunks WHERE state = 'running' AND (kind = '{ChunkKind.EXPORT}') = starts_with(:pool, '{ChunkKind.EXPORT}')
        GROUP BY tenant_id),
    oldest AS (
        (SELECT 1 AS nth, job_id, tenant_id FROM chunks WHERE {READY} ORDER BY job_id LIMIT 1)
        UNION ALL
        SELECT nth + 1, next.job_id, next.tenant_id FROM oldest, LATERAL (
            SELECT job_id, tenant_id FROM chunks WHERE {READY} AND job_id > oldest.job_id
            ORDER BY job_id LIMIT 1) AS next
        WHERE nth < (SELECT CASE WHEN count(*) < {MANY_RUNNING} THEN {JOBS} + {JOBS_PER_TENANT} * count(*) ELSE 0 END
                     FROM running)),
    {_fair("few", ARE_FEW)}, {_fair("every", f"NOT {ARE_FEW}")},
    candidates AS MATERIALIZED (
        SELECT tenant_id FROM fair_few
        UNION ALL
        SELECT tenant_id FROM oldest WHERE NOT {ARE_FEW} AND tenant_id NOT IN (SELECT tenant_id FROM running)
            AND {NOT_PAUSED.format("oldest")}
        UNION ALL
        SELECT tenant_id FROM fair_every),
    chosen AS MATERIALIZED (
        SELECT c.job_id, c.no FROM candidates CROSS JOIN LATERAL (
            SELECT job_id, no FROM chunks
            WHERE {READY} AND tenant_id = candidates.tenant_id AND not_before <= now()
            ORDER BY job_id, no LIMIT 1 FOR UPDATE SKIP LOCKED) AS c
        LIMIT 1)
    UPDATE chunks AS c
    SET state = 'running', attempt = attempt + 1, lease_token = chosen.token, lease_until = now() + :lease,
        worker = :worker, lifeline = CAST(:lifeline AS integer), lifeline_of = chosen.token
    FROM (SELECT job_id, no, nextval('lease_tokens') AS token FROM chosen) AS chosen
    JOIN jobs j ON j.id = chosen.job_id JOIN tenants t ON t.id = j.tenant_id
    WHERE c.job_id = chosen.job_id AND c.no = chosen.no
    RETURNING c.job_id, c.no, c.tenant_id, c.kind, c.pool, c.first_seq, c.last_seq, c.attempt, c.isolated,
              c.export_id, c.priority, c.lease_token, c.lifeline, j.state AS job_state, j.request_id, j.traceparent,
              CASE WHEN :limited THEN coalesce(t.max_running_chunks, :max_running) ELSE 0 END AS max_running
    """  # noqa: S608  # all of it is in this file
)

# Two claims at the same moment both see one chunk less than the limit. So whoever claims for a tenant with a limit
# counts again, under a lock that only such claims take, in a statement that sees what the others have committed.
COUNT_AGAIN = text(
    f"""
    SELECT count(*) FROM chunks WHERE state = 'running' AND tenant_id = :tenant AND {COUNTED}
    """  # noqa: S608  # COUNTED is above
)

# Which of several offers have a chunk at all. A worker has a handful of offers and mostly one with work: the others
# cost it no claim. A drained worker has none, nor has anybody in a paused pool or while all work is paused; `heeds` is
# false for an operator's own command. LIMIT keeps PostgreSQL from joining the tables as a whole, and ORDER BY from
# reading a whole table for a chunk that is not there.
WITH_READY_CHUNK = text(
    f"""
    SELECT o.nth FROM unnest(CAST(:pools AS text[]), CAST(:priorities AS smallint[]))
        WITH ORDINALITY AS o(pool, priority, nth),
    LATERAL (SELECT 1 FROM chunks
             WHERE state = 'ready' AND pool = o.pool AND priority = o.priority AND not_before <= now()
             ORDER BY tenant_id, job_id, no LIMIT 1) AS found
    WHERE NOT :heeds OR NOT ({pauses.EVERYTHING} OR {pauses.IS_DRAINED} OR o.pool IN ({pauses.POOLS}))
    ORDER BY o.nth
    """  # noqa: S608  # all of it is in these files
)
