"""``phytobatch report`` over the real API and object store."""

import io
import os
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from phytobatch import ImageSpec, Phytobatch
from tests.integration.api.conftest import Hands, rust, truncated
from tests.integration.client.conftest import Shell


@pytest.fixture
def ended(sdk: Phytobatch, hands: Hands, tmp_path: Path) -> str:
    """Four photographs of rust with positions, and a broken one without."""
    job = sdk.create_job(name="North <field>")
    specs = []
    for number in range(1, 6):
        out = io.BytesIO()
        Image.new("RGB", (640, 480), (40, 30 * number, 40)).save(out, "JPEG")
        file = tmp_path / f"{number}.jpg"
        file.write_bytes(out.getvalue())
        spec = replace(ImageSpec.of_file(file), metadata={"row": number % 2})
        specs.append(replace(spec, latitude=47.99 + number * 1e-4, longitude=7.84) if number < 5 else spec)
    for target, number in zip(sdk.add_images(job.id, specs), range(1, 6), strict=True):
        sdk.upload(target, tmp_path / f"{number}.jpg")
    sdk.commit(job.id)
    hands.run(job.id, lambda seq: truncated(seq) if seq == 5 else rust(seq))
    return job.id


def test_it_writes_one_page_with_map_groups_and_pictures(shell: Shell, ended: str, tmp_path: Path) -> None:
    out = tmp_path / "field.html"
    shell.run("report", ended, "--by", "row", "--out", str(out))
    page = out.read_text()
    assert "North &lt;field&gt;" in page
    assert '<svg class="map"' in page
    assert page.count("<circle") == 4
    assert "By row" in page
    assert page.count("data:image/jpeg;base64,") == 8  # the surest and the least certain: the same four
    assert "Images without a position" in page


def test_without_pictures_it_is_small(shell: Shell, ended: str, tmp_path: Path) -> None:
    out = tmp_path / "es.html"
    said = shell.json("report", ended, "--no-pictures", "--language", "es", "--out", str(out))
    assert said == {"report": str(out), "bytes": out.stat().st_size}
    assert "base64" not in out.read_text()
    assert "Informe de sanidad vegetal" in out.read_text()


@pytest.mark.parametrize(
    ("places", "far", "circles"),
    [
        ([(-16.8, 179.9998), (-16.8, -179.9998), (-16.8001, 179.99995)], None, 3),
        ([(41.6532, 0.6187), (41.6533, 0.6188), (0.6187, 41.6532)], "f2.jpg", 2),
    ],
)
def test_no_position_keeps_a_report_from_being_written(  # fixtures
    sdk: Phytobatch,
    hands: Hands,
    shell: Shell,
    tmp_path: Path,
    places: list[tuple[float, float]],
    far: str | None,
    circles: int,
) -> None:
    job = sdk.create_job()
    specs = [
        ImageSpec(name=f"f{number}.jpg", size=10, latitude=latitude, longitude=longitude)
        for number, (latitude, longitude) in enumerate(places)
    ]
    sdk.add_images(job.id, specs)
    sdk.commit(job.id)
    hands.run(job.id, rust)
    out = tmp_path / "field.html"
    ended = shell.run("report", job.id, "--no-pictures", "--out", str(out))
    page = out.read_text()
    assert page.count("<circle") == circles
    assert ("far from the others" in page, "far from the others" in ended.stderr) == (far is not None, far is not None)
    if far is not None:
        assert f"{far}: latitude and longitude seem exchanged" in page
        assert far in ended.stderr


def test_a_folder_that_is_not_there_is_noticed_before_anything_is_read(shell: Shell, tmp_path: Path) -> None:
    ended = shell.run("report", "no-job", "--out", str(tmp_path / "nowhere" / "page.html"), code=2)
    assert "folder must exist" in ended.stderr


def test_without_jinja_it_says_what_to_install(shell: Shell, ended: str, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text("import sys\nsys.modules['jinja2'] = None\n")
    bare = Shell({**shell.environment, "PYTHONPATH": f"{hidden}{os.pathsep}{shell.environment.get('PYTHONPATH', '')}"})
    refused = bare.run("report", ended, "--out", str(tmp_path / "r.html"), code=2)
    assert "pip install 'phytobatch[report]'" in refused.stderr
    assert not (tmp_path / "r.html").exists()
