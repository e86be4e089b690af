"""``phytobatch submit`` with a sidecar, and real drone photographs through the whole system."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def results(command: Any, job: str, *options: str) -> dict[str, Any]:  # noqa: ANN401  # the fixture's own type
    """Results by name."""
    lines = command.run("results", job, "--json", *options).splitlines()
    return {row["name"]: row for row in map(json.loads, lines)}


def test_a_folder_with_its_sidecars_says_what_matched(
    command: Any,  # noqa: ANN401  # the fixture's own type
    make_images: Callable[[int], Path],
) -> None:
    folder = make_images(3)
    (folder / "geo.txt").write_text("EPSG:4326\nDJI_0000.JPG 0.5 41.5 200\nDJI_0099.JPG 0.5 41.5\n")
    (folder / "images.csv").write_text("filename,row,bed\nDJI_0000.JPG,7,A\nDJI_0001.JPG,7,B\nDJI_0002.JPG,8,A\n")
    answer = command.json("submit", str(folder), "--watch")
    positions, metadata = answer["sidecars"]
    assert (positions["matched"], positions["unmatched"][0]["line"]) == (1, 3)
    assert metadata["without_position"] == ["DJI_0001.JPG", "DJI_0002.JPG"]
    assert answer["files"]["not_images"] == 0
    rows = results(command, answer["job"]["id"])
    assert rows["DJI_0000.JPG"]["position_source"] == "sidecar"
    assert [(rows[f"DJI_000{n}.JPG"]["meta_row"], rows[f"DJI_000{n}.JPG"]["meta_bed"]) for n in range(3)] == [
        ("7", "A"),
        ("7", "B"),
        ("8", "A"),
    ]


def test_a_sidecar_of_another_projection_is_refused_before_anything_is_sent(
    command: Any,  # noqa: ANN401  # the fixture's own type
    make_images: Callable[[int], Path],
    tmp_path: Path,
) -> None:
    folder, positions = make_images(2), tmp_path / "utm.txt"
    positions.write_text("EPSG:32631\nDJI_0000.JPG 500000 4600000\n")
    command.run("submit", str(folder), "--positions", str(positions), code=2)
    assert not [record for record in command.journal() if record["record"] == "uploaded"]
    # Repaired, the same command goes on with the same draft.
    positions.write_text("EPSG:4326\nDJI_0000.JPG 0.5 41.5\n")
    assert command.json("submit", str(folder), "--positions", str(positions))["continued"]


def test_drone_photographs_have_the_place_where_they_were_taken(
    command: Any,  # noqa: ANN401  # the fixture's own type
    real_data: Path,
) -> None:
    folder = real_data / "drone"
    if not folder.is_dir():
        pytest.skip("the drone photographs are not here")
    answer = command.json("submit", str(folder), "--watch")
    rows = results(command, answer["job"]["id"])
    place = rows["brighton-beach/DJI_0018.JPG"]
    # As exiftool reads it.
    assert place["latitude"] == pytest.approx(46.8426070833333, abs=1e-7)
    assert place["longitude"] == pytest.approx(-91.9945598888889, abs=1e-7)
    assert (place["altitude"], place["heading"], place["position_source"]) == (198.309, 45.0, "file")
    assert place["captured_at"] is None  # Its clock names no zone.
    assert rows["caliterra/IMG_9354.jpg"]["captured_at"] == "2014-10-19T18:20:51Z"
    assert {row["position_fault"] for row in rows.values()} == {None}
    assert len(rows) == 9
