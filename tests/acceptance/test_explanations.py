"""Why, from a job to the picture that a grower sees, with the programs as users start them."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from phytobatch import ClassifierRef
from tests.acceptance.colour_model import write_colour_model
from tests.acceptance.system import LONG_LEASE, System
from tests.patience import PATIENCE_SECONDS

RED, GREEN = (230, 20, 20), (20, 230, 20)
EDGE = 64
COLOURS = ClassifierRef("colours")


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tiles: one red with a green corner, one green."""
    image = Image.new("RGB", (2 * EDGE, EDGE), GREEN)
    image.paste(RED, (0, 0, EDGE, EDGE))
    image.paste(GREEN, (EDGE // 2, EDGE // 2, EDGE, EDGE))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    path = tmp_path_factory.mktemp("photo") / "bench.png"
    path.write_bytes(stream.getvalue())
    return path


def test_a_result_and_a_tile_say_why(quiet: System, photo: Path, tmp_path: Path) -> None:
    folder = write_colour_model(tmp_path / "colours")
    quiet.start_worker(PHYTOBATCH_CLASSIFIER_DIR=str(folder), PHYTOBATCH_RUNTIME="onnx", **LONG_LEASE)
    with quiet.client() as client:
        whole = client.predict(photo, classifier=COLOURS, explain=True)
        tiled = client.predict(photo, classifier=COLOURS, tiling=str(EDGE))
        assert (whole.predicted_class, whole.explanation) == ("healthy", [[0, 255], [64, 255]])
        assert tiled.predicted_class == "red"
        assert client.explain_tile(tiled.job_id, 1, 0, timeout=PATIENCE_SECONDS).explanation == [[255, 255], [255, 0]]
        assert client.job(tiled.job_id).state == "completed"
    command = [sys.executable, "-m", "worker.inference", str(photo), "--classifier", str(folder), "--runtime", "onnx"]
    drawn = [*command, "--tiles", str(EDGE), "--explain", str(tmp_path / "why")]
    subprocess.run(drawn, check=True, timeout=PATIENCE_SECONDS, capture_output=True)
    with Image.open(tmp_path / "why" / "bench.jpg") as picture:
        red, green = picture.getpixel((16, 16)), picture.getpixel((48, 48))
    assert red[2] > 60 > green[2], "violet where it is red"  # type: ignore[index]  # of a picture in RGB
