"""The commands against the real service."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_a_folder_with_good_and_bad_files_is_submitted_watched_and_saved(
    command: Any,  # noqa: ANN401  # the fixture's own type
    make_images: Callable[[int], Path],
    tmp_path: Path,
) -> None:
    folder = make_images(5)
    (folder / "broken.jpg").write_bytes(b"no image at all")
    (folder / "=danger.jpg").write_bytes((folder / "DJI_0000.JPG").read_bytes() + b"\0")
    (folder / "DJI_0009.JPG").write_bytes((folder / "DJI_0001.JPG").read_bytes())

    answer = command.json("submit", str(folder), "--out", str(tmp_path / "r.csv"), "--name", "mixed", code=3)

    assert answer["job"]["state"] == "completed_with_errors"
    assert len(answer["files"]["duplicates"]) == 1
    rows = {
        row["name"]: row for row in csv.DictReader(io.StringIO((tmp_path / "r.csv").read_bytes().decode("utf-8-sig")))
    }
    assert set(rows) == {*(f"DJI_{n:04}.JPG" for n in range(5)), "broken.jpg", "'=danger.jpg"}
    assert rows["broken.jpg"]["status"] in {"failed", "rejected"}
    assert rows["broken.jpg"]["error_code"]
    assert abs(sum(float(v) for k, v in rows["DJI_0000.JPG"].items() if k.startswith("p_")) - 1) < 1e-3

    job = answer["job"]["id"]
    assert command.json("status", job)["name"] == "mixed"
    assert command.json("cancel", job)["state"] == "completed_with_errors"
    assert job in {json.loads(line)["id"] for line in command.run("jobs", "--json").splitlines()}
    failed = [json.loads(line) for line in command.run("results", job, "--status", "failed", "--json").splitlines()]
    assert failed
    assert all(row["status"] == "failed" for row in failed)
    command.run("watch", job, code=3)
    command.run("delete", job)
    command.run("status", job, code=6)


def test_classifiers_and_predict_answer(
    command: Any,  # noqa: ANN401  # the fixture's own type
    make_images: Callable[[int], Path],
) -> None:
    classifiers = [json.loads(line) for line in command.run("classifiers", "--json").splitlines()]
    assert any(one["default"] for one in classifiers)
    assert command.run("models", "--json") == command.run("classifiers", "--json")

    image = str(make_images(1) / "DJI_0000.JPG")
    assert command.json("predict", image)["predicted_class"]


def test_a_wrong_key_ends_with_5(command: Any, tmp_path: Path) -> None:  # noqa: ANN401  # the fixture's own type
    (tmp_path / "key").write_text("pb_wrong")

    command.run("jobs", "--key-file", str(tmp_path / "key"), code=5)
