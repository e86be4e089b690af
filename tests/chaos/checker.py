"""After the campaign: was everything that was accepted answered, exactly once, and as a calm run answers it?"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from phytobatch import Phytobatch
from shared.contracts.states import TERMINAL_EVENT, JobState
from shared.tiles.codec import decode
from shared.tiles.tile_map import TileSums, sum_up
from tests.acceptance.system import System
from tests.chaos.inputs import ENDS, GOOD
from tests.chaos.load import Sent, Tenant
from tests.integration.webhooks.receiver import Received
from worker.inference.manifest import read_manifest, shipped_classifier_dir

# Runs on other threads and batches differ in the last digits of a float32.
CLOSE = 1e-3
LABELS = read_manifest(shipped_classifier_dir()).labels
TERMINAL = tuple(event.value for event in TERMINAL_EVENT.values())

COUNTS = "SELECT state, total, succeeded, failed, rejected, canceled, open_chunks, retries FROM jobs WHERE id = %s"
RESULTS = """
    SELECT i.name, count(r.seq), min(r.status), min(r.error_code), min(r.label), min(r.confidence)
    FROM images i LEFT JOIN results r ON r.job_id = i.job_id AND r.seq = i.seq WHERE i.job_id = %s GROUP BY i.name
"""
EXPORT = """
    SELECT e.state, e.error_code, e.rows, count(c.no), count(c.no) FILTER (WHERE c.state <> 'done')
    FROM exports e LEFT JOIN chunks c ON c.export_id = e.id WHERE e.id = %s GROUP BY e.id
"""
MAPS = """
    SELECT coalesce(r.seq, m.seq), r.status, r.tile_sums, m.map, j.work_total, j.work_done
    FROM jobs j JOIN results r ON r.job_id = j.id FULL JOIN tile_maps m ON m.job_id = r.job_id AND m.seq = r.seq
    WHERE coalesce(r.job_id, m.job_id) = %s
"""
EVENTS = "SELECT id::text, type FROM events WHERE job_id = %s ORDER BY revision, id"

Answer = tuple[str, float]
"""Label and confidence."""


@dataclass(slots=True)
class Findings:
    """The counts of the checker, and its findings as sentences."""

    jobs: int = 0
    images: int = 0
    lost: int = 0
    doubled: int = 0
    crashed: int = 0
    maps: int = 0
    predictions: int = 0
    deliveries: int = 0
    repeated_deliveries: int = 0
    exports: int = 0
    exports_given_up: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Checker:
    """Compares the database, the receiver and what the tenants were promised.

    ``calm``: the answers by picture, whole and in tiles.
    """

    system: System
    calm: Sequence[Answer]
    calm_tiles: Sequence[Answer]

    def check(self, tenants: Sequence[Tenant], received: Sequence[Received]) -> Findings:
        """Check everything."""
        found = Findings()
        bodies = _by_webhook_id(received, found)
        with self.system.sql() as sql:
            for sent in (one for tenant in tenants for one in tenant.sent):
                found.jobs += 1
                found.wrong += [f"job {sent.job_id}: {what}" for what in self._job(sql, sent, found, bodies)]
        for tenant in tenants:
            for one in tenant.predicted:
                found.predictions += 1
                if not _is_close((one.label, one.confidence), self.calm[one.picture]):
                    found.wrong.append(f"/predict answered {one} where a calm run says {self.calm[one.picture]}")
            found.wrong += self._exports(tenant, found)
        return found

    def _exports(self, tenant: Tenant, found: Findings) -> Iterator[str]:
        """Every export that was accepted has its file, with a line for each row that it names, and one chunk."""
        with Phytobatch(tenant.url, tenant.key) as api, self.system.sql() as sql:
            for export_id in (one for sent in tenant.sent for one in sent.exports):
                found.exports += 1
                row = sql.execute(EXPORT, [export_id]).fetchone()
                if row is None:
                    found.lost += 1
                    yield f"the row of export {export_id} is gone"
                    continue
                state, code, rows, chunks, left = row
                if (chunks, left) != (1, 0):
                    yield f"export {export_id} has {chunks} chunks, {left} of them open"
                if (state, code) == ("failed", "worker_crashed"):
                    found.exports_given_up += 1  # Honest, and counted: each of its attempts lost its worker.
                elif state != "completed":
                    yield f"export {export_id} is {state} {code}"
                else:
                    path = tenant.folder / f"{export_id}.ndjson"
                    api.exports.download(export_id, path)
                    lines = path.read_bytes().splitlines()
                    if len(lines) != rows:
                        yield f"the file of export {export_id} has {len(lines)} lines for {rows} rows"

    def _job(
        self, sql: psycopg.Connection[Any], sent: Sent, found: Findings, bodies: dict[str, dict[str, Any]]
    ) -> Iterator[str]:
        row = sql.execute(COUNTS, [sent.job_id]).fetchone()
        if row is None:
            found.lost += len(sent.files)
            yield "its row is gone"
            return
        state, total, succeeded, failed, rejected, canceled, open_chunks, retries = row
        answers = {name: rest for name, *rest in sql.execute(RESULTS, [sent.job_id])}
        found.images += len(sent.files)
        found.lost += sum(1 for one in sent.files if answers.get(one.name, [0])[0] == 0)
        found.doubled += sum(1 for count, *_ in answers.values() if count > 1)
        if state not in {s.value for s in TERMINAL_EVENT} - {JobState.EXPIRED.value}:
            yield f"it is still {state}"
        if open_chunks:
            yield f"it has {open_chunks} open chunks"
        if not (total == len(sent.files) == succeeded + failed + rejected + canceled):
            yield f"its counts {row[1:6]} do not add up to the {len(sent.files)} that were sent"
        told = Counter(status for _, status, *_ in answers.values())
        if (told["succeeded"], told["failed"], told["rejected"], told["canceled"]) != row[2:6]:
            yield f"its counts {row[2:6]} are not those of its results {dict(told)}"
        yield from self._answers(sent, answers, found)
        yield from _maps(sent, sql.execute(MAPS, [sent.job_id]).fetchall(), found)
        yield from _events(sql.execute(EVENTS, [sent.job_id]).fetchall(), retries, bodies, found)

    def _answers(self, sent: Sent, answers: dict[str, list[Any]], found: Findings) -> Iterator[str]:
        calm = self.calm_tiles if sent.is_tiled else self.calm
        for one in sent.files:
            count, status, code, label, confidence = answers.get(one.name, [0, None, None, None, None])
            if count != 1:
                yield f"{one.name} has {count} results"
            elif status == "canceled" and sent.canceled:
                continue
            elif code == "worker_crashed":
                # Honest, and counted: so many workers died with it that nobody can tell it from poison.
                found.crashed += 1
            elif one.kind in GOOD:
                if status != "succeeded" or not _is_close((label or "", confidence or 0.0), calm[one.picture]):
                    yield f"{one.name} is {status} {code} {label} {confidence}; calm: {calm[one.picture]}"
            elif (status, code) != ENDS[one.kind] and not (sent.is_tiled and code == "too_many_tiles"):
                yield f"{one.name} is {status} {code}, not {ENDS[one.kind]}"


def _maps(sent: Sent, rows: Sequence[tuple[Any, ...]], found: Findings) -> Iterator[str]:
    """Every answer in tiles has its map, with the sums that stand beside it, and nothing else has one."""
    for seq, status, sums, stored, total, done in rows:
        found.maps += stored is not None
        expected = sent.is_tiled and status == "succeeded"
        if {stored is not None, sums is not None} != {expected}:
            yield f"image {seq} is {status} with {'a' if stored else 'no'} map and {'' if sums else 'no '}sums"
        elif stored is not None and sum_up(decode(stored), LABELS) != TileSums.from_json(sums):
            yield f"the sums of image {seq} are {sums}, and not those of its map"
        if total != done and total is not None:
            yield f"its work is {done} of {total} tiles"


def _events(
    events: Sequence[tuple[str, str]], retries: int, bodies: dict[str, dict[str, Any]], found: Findings
) -> Iterator[str]:
    ends = [(event_id, kind) for event_id, kind in events if kind in TERMINAL]
    if len(ends) != retries + 1:
        yield f"it has {len(ends)} terminal events in {retries + 1} runs: {[kind for _, kind in events]}"
    for event_id, kind in ends:
        body = bodies.get(event_id)
        if body is None:
            yield f"its {kind} (webhook-id {event_id}) never reached the receiver"
        elif body["type"] != kind:
            yield f"its {kind} reached the receiver as {body['type']}"
        else:
            found.deliveries += 1


def _by_webhook_id(received: Sequence[Received], found: Findings) -> dict[str, dict[str, Any]]:
    """The bodies, by id. The same id with another body is wrong."""
    seen: dict[str, set[bytes]] = defaultdict(set)
    times: Counter[str] = Counter()
    for request in received:
        webhook_id = request.headers["webhook-id"]
        seen[webhook_id].add(request.body)
        times[webhook_id] += 1
    found.repeated_deliveries = sum(count - 1 for count in times.values())
    found.wrong += [
        f"webhook-id {key} came with {len(bodies)} different bodies" for key, bodies in seen.items() if len(bodies) > 1
    ]
    return {key: json.loads(next(iter(bodies))) for key, bodies in seen.items()}


def _is_close(answer: Answer, calm: Answer) -> bool:
    return answer[0] == calm[0] and abs(answer[1] - calm[1]) < CLOSE
