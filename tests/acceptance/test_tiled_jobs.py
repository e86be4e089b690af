"""Faults inside a photograph of many tiles: it is answered once, with its whole map, or not at all."""

import io
import signal
from pathlib import Path

import pytest
from PIL import Image as Pillow

from deploy.local.child import Child
from deploy.local.ports import free_port
from deploy.local.synthetic import render
from phytobatch import ImageSpec
from shared.tiles.codec import decode
from shared.tiles.tile_map import TileSums, sum_up
from tests.acceptance.earlier import unpack
from tests.acceptance.system import LONG_LEASE, System
from tests.integration.metrics.scrape import scrape
from tests.patience import PATIENCE_SECONDS, wait_for
from worker.inference.manifest import read_manifest, shipped_classifier_dir

EDGE, COLUMNS, ROWS = 32, 16, 8
TILES = COLUMNS * ROWS
BROUGHT_TILES = "0014"  # the migration
TILING = {"edge": EDGE, "overlap": 0.0}
PHOTOGRAPHS = 3
# One photograph at a time, in 32 batches.
SLOW = {"PHYTOBATCH_WORKER_SLOTS": "1", "PHYTOBATCH_BATCH_SIZE": "4", "PHYTOBATCH_CHUNK_TILES": "1", **LONG_LEASE}
SUMS = """
    SELECT r.seq, r.tile_sums, m.map FROM results r FULL JOIN tile_maps m ON m.job_id = r.job_id AND m.seq = r.seq
    WHERE coalesce(r.job_id, m.job_id) = %s ORDER BY 1
"""


@pytest.fixture(scope="module")
def benches(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A few photographs of one bench each; what follows the end of a JPEG makes the files differ."""
    folder = tmp_path_factory.mktemp("benches")
    stream = io.BytesIO()
    render("rust", (256, 256), seed=1).resize((COLUMNS * EDGE, ROWS * EDGE), Pillow.Resampling.BICUBIC).save(
        stream, "JPEG", quality=90
    )
    files = [folder / f"bench_{number}.jpg" for number in range(PHOTOGRAPHS)]
    for number, file in enumerate(files):
        file.write_bytes(stream.getvalue() + bytes([number]))
    return files


def assert_maps_are_whole(system: System, job_id: str, *, answered: int) -> None:
    """So many photographs have an answer; each with its map, whose sums are those beside it; and no other has one."""
    labels = read_manifest(shipped_classifier_dir()).labels
    with system.sql() as sql:
        rows = sql.execute(SUMS, [job_id]).fetchall()
        (images, total, done, open_chunks) = sql.execute(
            "SELECT total, work_total, work_done, open_chunks FROM jobs WHERE id = %s", [job_id]
        ).fetchone() or (0, 0, 0, 0)
    with_map = [(sums, stored) for _, sums, stored in rows if sums or stored]
    assert len(with_map) == answered
    for sums, stored in with_map:
        counted = sum_up(decode(stored), labels)
        assert TileSums.from_json(sums) == counted
        assert counted.total == TILES
    assert (total, done) == (TILES * images, TILES * len(rows))
    assert (open_chunks == 0) == (len(rows) == images)


def answered(system: System, job_id: str) -> int:
    with system.sql() as sql:
        (count,) = sql.execute("SELECT count(*) FROM results WHERE job_id = %s", [job_id]).fetchone() or (0,)
    return int(count)


class Worker:
    """A worker, and how far it is inside the photograph that it works on."""

    def __init__(self, system: System) -> None:
        self.system, self.port = system, free_port()
        self.child: Child = system.start_worker(PHYTOBATCH_METRICS_PORT=str(self.port), **SLOW)

    def wait_inside(self) -> None:
        """Wait until some, and not all, of a photograph's batches are done."""

        def batches() -> int:
            return int(scrape(self.port).total("phytobatch_batch_fill_ratio_count")) % (TILES // 4)

        wait_for(batches, lambda inside: 2 <= inside <= TILES // 4 - 8)

    def held(self) -> int:
        """The number of chunks that it holds."""
        with self.system.sql() as sql:
            row = sql.execute(
                "SELECT count(*) FROM chunks WHERE state = 'running' AND split_part(worker, ':', 2) = %s",
                [str(self.child.pid)],
            ).fetchone()
        return int((row or (0,))[0])


def test_a_photograph_is_answered_whole_whatever_happens_inside_it(quiet: System, benches: list[Path]) -> None:
    """A worker is killed, the next one told to stop, and the store goes away, each in the middle of a photograph."""
    system = quiet
    killed = Worker(system)
    job_id = system.submit(benches, tiling=TILING)
    killed.wait_inside()
    assert killed.held() == 1
    killed.child.kill()
    assert_maps_are_whole(system, job_id, answered=answered(system, job_id))
    stopped = Worker(system)
    stopped.wait_inside()
    stopped.child.send(signal.SIGTERM)
    assert stopped.child.wait(PATIENCE_SECONDS) == 0
    assert stopped.held() == 0
    assert_maps_are_whole(system, job_id, answered=answered(system, job_id))
    last = Worker(system)
    last.wait_inside()
    system.servers.objects.kill()
    system.servers.objects.restart()
    job = system.wait_for_end(job_id)
    assert (job.state, job.counts.succeeded) == ("completed", PHOTOGRAPHS)
    assert_maps_are_whole(system, job_id, answered=PHOTOGRAPHS)


def test_a_cancel_inside_a_photograph_leaves_no_part_of_it(quiet: System, benches: list[Path]) -> None:
    system = quiet
    worker = Worker(system)
    job_id = system.submit(benches, tiling=TILING)
    worker.wait_inside()
    with system.client() as api:
        api.cancel(job_id)
    job = system.wait_for_end(job_id)
    assert (job.state, job.counts.pending) == ("canceled", 0)
    assert job.counts.canceled >= 1
    assert_maps_are_whole(system, job_id, answered=job.counts.succeeded)


def test_a_tiled_job_waits_for_a_worker_that_knows_tiles(
    quiet: System, benches: list[Path], leaf_files: list[Path], tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    """Programs of the version before tiles run beside the new API in an upgrade from there."""
    new = quiet
    old = System(new.servers, tmp_path_factory.mktemp("old"))
    old.code = unpack(tmp_path, without=BROUGHT_TILES)
    old.environment["PHYTOBATCH_BOOTSTRAP_API_KEY"] = old.api_key = new.api_key
    try:
        old.start_api()
        old.start_worker()
        benches = benches[:2]
        tiled = new.submit(benches, tiling=TILING)
        with new.client() as api:
            draft = api.create_job(tiling=TILING, name="committed by the old API").id
            named = api.add_images(draft, [ImageSpec.of_file(file, file.name) for file in benches])
            for target, file in zip(named, benches, strict=True):
                api.upload(target, file)
        with old.client() as api:
            api.commit(draft)
        whole = new.submit(leaf_files[:16])
        assert new.wait_for_end(whole).state == "completed", "the old worker is at work"
        assert [old.job(job_id).state for job_id in (tiled, draft)] == ["validating", "validating"]
        new.start_worker()
        for job_id in (tiled, draft):
            assert old.wait_for_end(job_id).state == "completed"
            assert_maps_are_whole(new, job_id, answered=len(benches))
    finally:
        old.stop()
