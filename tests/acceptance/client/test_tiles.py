"""Photographs in tiles, from a folder to overlays, against the real service and its classifier."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image


def test_photographs_are_sent_answered_and_drawn_in_tiles(
    command: Any,  # noqa: ANN401  # the fixture's own type
    make_images: Callable[[int], Path],
    tmp_path: Path,
) -> None:
    folder = make_images(2)
    Image.effect_noise((600, 400), 64).convert("RGB").save(folder / "DJI_0002.JPG")

    done = command.json("submit", str(folder), "--tiles", "auto", "--ground-resolution", "0.32", "--watch")

    job = done["job"]["id"]
    assert (done["job"]["state"], done["job"]["tiling"]) == ("completed", "auto")
    assert done["job"]["progress"]["work"]["total"] == 1 + 1 + 3 * 2
    seen = done["summary"]["overall"]
    assert (seen["images"], seen["tiles"]["total"]) == (3, 8)
    assert seen["counted"] + seen["undecided"] == 3

    said = command.json("tiles", job, "DJI_0002.JPG", "--out", str(tmp_path / "out"), "--photos", str(folder))
    assert (said["map"]["x"], said["map"]["y"], said["fault"]) == ([0, 256, 344], [0, 144], None)
    with Image.open(said["picture"]) as drawn:
        assert drawn.width == 1000

    again = command.json("submit", str(folder), "--tiles", "auto", "--dry-run")
    assert again["tiles"] == 8
    assert again["per_second"] > 0


def test_a_photograph_from_too_far_away_is_undecided_and_the_job_says_so(
    command: Any,  # noqa: ANN401  # the fixture's own type
    make_images: Callable[[int], Path],
) -> None:
    folder = make_images(2)
    process = command.start("submit", str(folder), "--tiles", "auto", "--ground-resolution", "14.3", "--watch")
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert "all photographs will have no answer" in err
    assert "No photograph could be decided" in out
