"""The report of a campaign: its faults and its findings."""

from tests.acceptance.system import System
from tests.chaos.checker import Findings
from tests.chaos.load import Tenant
from tests.chaos.nemesis import Nemesis
from tests.chaos.recovery import longest_recovery, longest_silence

ATTEMPTS = "SELECT attempt, count(*) FROM chunks WHERE kind = 'classify' GROUP BY 1 ORDER BY 1"


def report(system: System, nemesis: Nemesis, tenants: list[Tenant], found: Findings, settled: float) -> None:
    """Print it."""
    counts = nemesis.counts()
    print(f"faults injected: {counts.total()}")
    for kind, count in sorted(counts.items()):
        print(f"  {count:4}  {kind}")
    for what, count in sorted(nemesis.world.ended_by_themselves.items()):
        print(f"  {count:4}  ended by itself and was started again: {what}")
    with system.sql() as sql:
        silence, _ = longest_silence(sql)
        recovery, chunks = longest_recovery(sql, nemesis.faults)
        attempts = sql.execute(ATTEMPTS).fetchall()
    print(f"accepted: {found.jobs} jobs with {found.images} images, {found.predictions} answers of /predict")
    given_up = [what for tenant in tenants for what in tenant.given_up]
    print(f"calls that a patient client gave up, nothing was promised: {len(given_up)}")
    for what in given_up[:5]:
        print(f"        {what}")
    print(f"maps of tiles, each with its sums: {found.maps}")
    print(f"exports: {found.exports}, given up after lost attempts: {found.exports_given_up}")
    print(f"lost: {found.lost}")
    print(f"doubled: {found.doubled}")
    print(f"ended as worker_crashed after lost attempts: {found.crashed}")
    print(f"terminal events that reached the receiver: {found.deliveries}, repeats: {found.repeated_deliveries}")
    print(f"attempts of chunks: {', '.join(f'{attempt}: {count}' for attempt, count in attempts)}")
    print(
        f"longest from the kill of a worker to the end of a chunk that it held: {recovery:.1f} s (of {chunks} chunks)"
    )
    print(f"longest time without a new result while a job waited: {silence:.1f} s")
    print(f"after the storm everything was over within {settled:.1f} s")
    for what in found.wrong[:50]:
        print(f"WRONG: {what}")
    verdict = "nothing was lost, nothing came twice" if not found.wrong else f"{len(found.wrong)} findings"
    print(f"verdict: {verdict}", flush=True)
