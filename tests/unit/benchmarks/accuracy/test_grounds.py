from pathlib import Path

import numpy as np
from PIL import Image

from tests.benchmarks.accuracy.grounds import EDGE, read_grounds


def test_no_photograph_of_a_judged_flight_is_learned(tmp_path: Path) -> None:
    flights = {"drone/north": ("1.jpg", "2.jpg"), "drone/south": ("1.jpg",), "ortho": ("a.tif", "small.tif")}
    for folder, names in flights.items():
        (tmp_path / folder).mkdir(parents=True)
        for name in names:
            size = (100, 100) if name == "small.tif" else (2 * EDGE, EDGE)
            Image.new("RGB", size, (90, 80, 70)).save(tmp_path / folder / name)
    grounds = read_grounds(tmp_path, tmp_path)
    assert [path.name for path in grounds.files] == ["1.jpg", "2.jpg", "1.jpg", "a.tif"]
    assert grounds.photograph.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert grounds.place[0] == grounds.place[2] != grounds.place[4]
    judged = np.zeros(8, bool)
    judged[0] = True
    links = grounds.folder_without(judged, tmp_path / "made" / "grounds")
    assert sorted(path.name for path in links.iterdir()) == ["ortho-a.tif", "south-1.jpg"]
    assert all(path.resolve().is_file() for path in links.iterdir())
