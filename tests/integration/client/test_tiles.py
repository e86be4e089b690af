"""A job with tiles at the keyboard, on the real API and object store: tables, overlays, the report, an export."""

import json
from pathlib import Path

import pytest
from PIL import Image

from phytobatch import ImageSpec, Phytobatch
from shared.contracts.manifest import ReviewReason
from shared.db.session import Database
from tests.integration.api.conftest import Hands, rust, truncated
from tests.integration.client.conftest import Shell
from tests.integration.tiled_jobs import COARSE, EDGE, HEALTHY, ROAD, RUST, Answer, answer_by_tiles

ANSWERS = {
    1: Answer([HEALTHY] * 8, "healthy"),
    2: Answer([HEALTHY] * 4 + [RUST] * 4, "rust"),
    3: Answer([RUST] * 5 + [HEALTHY, ROAD, ROAD], "rust"),
    4: Answer([COARSE] * 8, None, ReviewReason.TOO_COARSE),
}


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Five photographs of one row of eight tiles; the third is stored on its side."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(1, 6):
        image, exif = Image.new("RGB", (EDGE * 8 - EDGE // 2, EDGE), (40, 30 * number, 40)), Image.Exif()
        if number == 3:
            image, exif[0x0112] = image.transpose(Image.Transpose.ROTATE_90), 6
        image.save(folder / f"{number}.jpg", exif=exif)
    return folder


@pytest.fixture
def bench(sdk: Phytobatch, hands: Hands, database: Database, photographs: Path) -> str:
    """Four of them answered in tiles: healthy, rust, more rust, undecided; the fifth is broken."""
    job = sdk.create_job(name="bench", tiling={"edge": EDGE})
    files = [photographs / f"{number}.jpg" for number in range(1, 6)]
    for target, file in zip(sdk.add_images(job.id, [ImageSpec.of_file(file) for file in files]), files, strict=True):
        sdk.upload(target, file)
    sdk.commit(job.id)
    hands.run(job.id, lambda seq: truncated(seq) if seq == 5 else rust(seq))
    answer_by_tiles(database, job.id, ANSWERS)
    return job.id


def test_the_photographs_are_listed_the_worst_first(shell: Shell, bench: str) -> None:
    lines = shell.run("tiles", bench).stdout.splitlines()
    assert [line.split()[:3] for line in lines[1:]] == [
        ["3", "3.jpg", "8"], ["2", "2.jpg", "8"], ["1", "1.jpg", "8"], ["4", "4.jpg", "8"],
    ]  # fmt: skip
    assert "rust: 5 of 6 tiles that count (83.3 %)" in lines[1]
    assert "Undecided: from too far away to be read" in lines[4]
    fewer = shell.run("tiles", bench, "--limit", "1")
    assert len(fewer.stdout.splitlines()) == 2
    assert "3 photographs more with tiles: --limit 4" in fewer.stderr


def test_overlays_are_drawn_of_what_the_server_has(shell: Shell, bench: str, tmp_path: Path) -> None:
    out = tmp_path / "overlays"
    shell.run("tiles", bench, "--out", str(out), "--language", "es")
    assert sorted(path.name for path in out.iterdir()) == [f"00000{number}-{number}.jpg" for number in range(1, 5)]
    for path in out.iterdir():
        with Image.open(path) as drawn:
            assert drawn.width == 1000  # A small photograph is drawn larger; the one on its side is upright.


def test_the_map_and_the_picture_of_one_photograph_are_a_document(
    shell: Shell, bench: str, photographs: Path, tmp_path: Path
) -> None:
    said = shell.json("tiles", bench, "2.jpg", "--out", str(tmp_path), "--photos", str(photographs))
    assert (said["seq"], said["label"], said["fault"]) == (2, "rust", None)
    assert said["map"]["labels"] == [["healthy"] * 4 + ["rust"] * 4]
    assert Path(said["picture"]).stat().st_size > 0
    assert shell.json("tiles", bench, "4")["map"]["skipped"] == [["too_coarse"] * 8]


def test_a_photograph_that_is_nowhere_is_said_and_the_others_are_drawn(
    shell: Shell, sdk: Phytobatch, hands: Hands, database: Database, tmp_path: Path
) -> None:
    job = sdk.create_job(tiling={"edge": EDGE})
    sdk.add_images(job.id, [ImageSpec(name="never_sent.jpg", size=10)])
    sdk.commit(job.id)
    hands.run(job.id, rust)
    answer_by_tiles(database, job.id, {1: ANSWERS[1]})
    ended = shell.run("tiles", job.id, "--out", str(tmp_path / "out"), code=3)
    assert "--photos FOLDER" in ended.stderr


def test_what_has_no_tiles_says_why(shell: Shell, sdk: Phytobatch, hands: Hands, bench: str) -> None:
    whole = sdk.create_job()
    sdk.add_images(whole.id, [ImageSpec(name="1.jpg", size=10)])
    sdk.commit(whole.id)
    hands.run(whole.id, rust)
    assert "answered whole photographs. Send them with --tiles" in shell.run("tiles", whole.id, code=2).stderr
    assert "has no tiles: it is failed" in shell.run("tiles", bench, "5", code=2).stderr
    assert "has no answer for '77'" in shell.run("tiles", bench, "77", code=2).stderr


def test_summary_status_and_watch_speak_of_tiles(shell: Shell, bench: str) -> None:
    summary = shell.run("summary", bench).stdout
    assert "of 22 tiles diseased" in summary
    assert "1 photograph undecided" in summary

    assert f"{EDGE}; what is too coarse is skipped" in shell.run("status", bench).stdout
    watched = shell.run("watch", bench, code=3).stdout
    assert "95 % interval" in watched


def test_an_export_of_tiles_has_a_row_for_each(shell: Shell, bench: str, tmp_path: Path) -> None:
    out = tmp_path / "tiles.ndjson"
    shell.run("export", bench, "--content", "tiles", "--out", str(out))
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(rows) == 32
    assert {row["name"] for row in rows} == {f"{number}.jpg" for number in range(1, 5)}


def test_the_report_shows_the_worst_with_their_tiles(shell: Shell, bench: str, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    shell.run("report", bench, "--out", str(out))
    page = out.read_text()
    assert "of 22 tiles in 3 photographs" in page
    assert "rust 83.3 % of 6 tiles" in page
    assert "undecided: of them nothing is known" in page
    assert page.index("3.jpg") < page.index("2.jpg")
    assert page.count("data:image/jpeg;base64,") >= 2


def test_without_pillow_it_says_what_to_install(shell: Shell, bench: str, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text("import sys\nsys.modules['PIL'] = None\n")
    bare = Shell({**shell.environment, "PYTHONPATH": f"{hidden}:{shell.environment.get('PYTHONPATH', '')}"})
    refused = bare.run("tiles", bench, "--out", str(tmp_path / "out"), code=2)
    assert "pip install 'phytobatch[report]'" in refused.stderr
    assert len(bare.run("tiles", bench).stdout.splitlines()) == 5
