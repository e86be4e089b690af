"""A tenant whose pictures take all that a picture may take, beside one whose pictures are ordinary."""

from pathlib import Path

import pytest

from tests.acceptance.system import System
from tests.hostile.known import KNOWN

# Many strips over the same bytes: each such picture takes all the processor time that one may have.
COSTLY = KNOWN["TIFF of 2,000 rows in 20,000 strips of 1,000 rows"]
PICTURES = 60
SECONDS = "0.5"


@pytest.fixture
def costly_files(tmp_path: Path) -> list[Path]:
    """So many that they alone would take minutes; no two are equal."""
    data = COSTLY()
    files = [tmp_path / f"{number}.tif" for number in range(PICTURES)]
    for number, file in enumerate(files):
        file.write_bytes(data + number.to_bytes(4, "big"))
    return files


def test_slow_pictures_of_one_tenant_keep_no_slot_from_another(
    quiet: System, leaf_files: list[Path], costly_files: list[Path]
) -> None:
    system, honest = quiet, quiet.for_another_tenant("honest")
    hostile_job = system.submit(costly_files)
    system.start_worker(PHYTOBATCH_ISOLATED_PROCESSOR_SECONDS=SECONDS)
    system.wait_until(hostile_job, lambda job: job.state == "running")
    ended = honest.wait_for_end(honest.submit(leaf_files[:24]))
    assert (ended.state, ended.counts.succeeded) == ("completed", 24)
    assert system.job(hostile_job).counts.pending > 0, "these take far longer: nobody waited for them"
    with system.client() as api:
        api.cancel(hostile_job)
    system.wait_for_end(hostile_job)
    assert {one.error_code for one in system.results(hostile_job) if one.status == "failed"} <= {"too_costly"}
