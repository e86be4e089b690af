"""An image that ends its process, by a crash or by hunger, is one failed image; its neighbours get their answers."""

import re
from pathlib import Path

import psutil
import pytest

from tests.acceptance import poison
from tests.acceptance.system import System
from tests.patience import wait_for

POISONED_WORKER = "tests.acceptance.poisoned_worker"
# Two crashes in the open; then the chunk is split, and the crash happens in the child of the third worker.
DEATHS = 2
GIBIBYTE = 1024**3


@pytest.mark.parametrize(
    ("marker", "code", "words"),
    [
        (poison.MARKER, "worker_crashed", "crashed the decoder .signal 11"),
        (poison.GREEDY_MARKER, "too_costly", "too much memory"),
    ],
    ids=["segfault", "memory"],
)
def test_an_image_that_ends_its_process_fails_alone(
    quiet: System, leaf_files: list[Path], tmp_path: Path, marker: bytes, code: str, words: str
) -> None:
    system = quiet
    poisoned = tmp_path / "poisoned.jpg"
    poisoned.write_bytes(leaf_files[0].read_bytes() + marker)
    files = [*leaf_files[:20], poisoned, *leaf_files[20:40]]
    job_id = system.submit(files)
    workers = [system.start_worker(POISONED_WORKER)]

    def is_split() -> bool:
        """Return True once the job is over; start a worker that died again, as a supervisor does."""
        if workers[-1].returncode is not None:
            workers.append(system.start_worker(POISONED_WORKER))
        return system.job(job_id).is_terminal

    wait_for(is_split)
    assert len(workers) - 1 == DEATHS
    assert workers[-1].returncode is None, "the last worker is healthy"
    job = system.job(job_id)
    assert (job.state, job.counts.succeeded, job.counts.failed) == ("completed_with_errors", 40, 1)
    (bad,) = [result for result in system.results(job_id) if result.status != "succeeded"]
    assert (bad.seq, bad.error_code) == (21, code)
    assert re.search(words, bad.error_detail or "")
    survivor = psutil.Process(workers[-1].pid)
    assert survivor.memory_info().rss < 2 * GIBIBYTE, "what was eaten was the child's"
    again = system.submit(leaf_files[:5])
    assert system.wait_for_end(again).state == "completed"
