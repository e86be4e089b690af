"""What ``phytobatch submit`` says of tiles, on the real API: before the first upload, in a dry run, and in the job."""

from pathlib import Path

import pytest
from PIL import Image

from phytobatch import Phytobatch
from tests.integration.client.conftest import Shell


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photographs of one size, one of another, and a file that is none."""
    made = tmp_path / "flight"
    made.mkdir()
    for number, size in enumerate([(640, 480), (640, 480), (300, 200)]):
        Image.new("RGB", size, (10, 50 * number, 10)).save(made / f"{number}.jpg")
    (made / "broken.jpg").write_bytes(b"no picture")
    return made


@pytest.fixture
def away(shell: Shell, tmp_path: Path) -> Shell:
    """A user whose journals lie in a folder of the test."""
    return Shell({**shell.environment, "XDG_STATE_HOME": str(tmp_path / "state")})


def test_auto_is_refused_before_anything_is_sent(away: Shell, sdk: Phytobatch, folder: Path) -> None:
    before = [job.id for job in sdk.jobs()]
    refused = away.run("submit", str(folder), "--tiles", "auto", code=2)
    assert "leaf-test@1 has learned no tiles" in refused.stderr
    assert [job.id for job in sdk.jobs()] == before


def test_a_dry_run_counts_and_sends_nothing(away: Shell, sdk: Phytobatch, folder: Path) -> None:
    before = [job.id for job in sdk.jobs()]
    said = away.json("submit", str(folder), "--tiles", "200/0.5", "--dry-run")
    assert (said["photographs"], said["tiles"], said["per_second"]) == (4, 2 * 6 * 4 + 2, None)
    assert [one["tiles"] for one in said["files"]] == [24, 24, 2, None]
    words = away.run("submit", str(folder), "--tiles", "200/0.5", "--dry-run")
    assert "4 photographs, 50 tiles" in words.stdout
    assert "1 photograph whose size cannot be read, not counted: broken.jpg" in words.stderr
    assert [job.id for job in sdk.jobs()] == before


def test_millimetres_are_counted_where_a_pixel_is_known(away: Shell, folder: Path) -> None:
    refused = away.run("submit", str(folder), "--tiles", "80mm", "--dry-run", code=2)
    assert "say --ground-resolution MM" in refused.stderr
    said = away.json("submit", str(folder), "--tiles", "80mm", "--ground-resolution", "0.5", "--dry-run")
    assert said["tiles"] == 2 * 4 * 3 + 2 * 2


def test_the_job_has_what_the_options_say(away: Shell, sdk: Phytobatch, folder: Path) -> None:
    options = ("--tiles", "80mm/0.2", "--ground-resolution", "0.5", "--on-coarse", "answer")
    sent = away.json("submit", str(folder), *options)
    job = sdk.job(sent["job"]["id"])
    assert (job.tiling, job.on_coarse, job.ground_resolution_mm) == ({"edge_mm": 80, "overlap": 0.2}, "answer", 0.5)
    assert "give --tiles" in away.run("submit", str(folder), "--on-coarse", "answer", code=2).stderr
