"""``phytobatch corrections`` over the real API and object store, of a photograph that was answered in tiles."""

import io
from pathlib import Path

import pytest
from PIL import Image

from phytobatch import ImageSpec, NotFound, Phytobatch
from shared.tiles.grid import lay_grid
from tests.integration.api.conftest import Hands, rust
from tests.integration.client.conftest import Shell
from tests.integration.corrections.maps import in_tiles

WIDTH, HEIGHT, EDGE = 500, 300, 200


@pytest.fixture
def ended(sdk: Phytobatch, hands: Hands, tmp_path: Path) -> str:
    """A photograph with a map, and one that is answered as a whole."""
    job = sdk.create_job()
    pixels, out = Image.linear_gradient("L").resize((WIDTH, HEIGHT)), io.BytesIO()
    pixels.convert("RGB").save(out, "PNG")
    specs = []
    for number in (1, 2):
        file = tmp_path / f"{number}.png"
        file.write_bytes(out.getvalue())
        specs.append(ImageSpec.of_file(file))
    for target, number in zip(sdk.add_images(job.id, specs), (1, 2), strict=True):
        sdk.upload(target, tmp_path / f"{number}.png")
    sdk.commit(job.id)
    hands.run(job.id, lambda seq: in_tiles(seq) if seq == 1 else rust(seq))
    return job.id


def test_tiles_are_corrected_listed_taken_back_and_cut_out(
    sdk: Phytobatch, shell: Shell, ended: str, tmp_path: Path
) -> None:
    said = shell.run("corrections", "put", ended, "1", "powdery_mildew", "--tile", "5", "--by", "Ana").stdout
    assert said == "1.png, tile 5: powdery_mildew (predicted: healthy)\n"
    shell.run("corrections", "put", ended, "1", "rust", "--tile", "5", "--by", "Ben")
    shell.run("corrections", "put", ended, "2", "healthy", "--note", "dust")
    shell.run("corrections", "delete", ended, "1", "--tile", "5", "--by", "Ben")
    found = [(one.seq, one.tile, one.label, one.corrected_by) for one in sdk.corrections.list(ended, page_size=1)]
    assert found == [(1, 5, "powdery_mildew", "Ana"), (2, None, "healthy", "test")]
    history = [one.label for one in sdk.corrections.list(ended, seq=1, history=True, page_size=2)]
    assert history == ["powdery_mildew", "rust", None]
    assert "(taken back)" in shell.run("corrections", "list", ended, "--image", "1", "--history").stdout

    folder = tmp_path / "training"
    outcome = shell.json("corrections", "export", ended, "--out", str(folder))
    assert (outcome["labels"], outcome["missing"]) == ({"powdery_mildew": 1, "healthy": 1}, [])
    (tile,), (whole,) = (list((folder / label).iterdir()) for label in ("powdery_mildew", "healthy"))
    assert whole.read_bytes() == (tmp_path / "2.png").read_bytes()
    box = lay_grid(WIDTH, HEIGHT, EDGE).box(5)
    with Image.open(tmp_path / "1.png") as photograph, Image.open(tile) as cut:
        assert cut.tobytes() == photograph.crop(box).tobytes()
    assert shell.json("corrections", "export", ended, "--out", str(folder))["new"] == 0

    table = tmp_path / "labels.csv"
    table.write_text("seq,tile,label\n1,0,healthy\n1,1,rust\n")
    assert shell.json("corrections", "import", ended, str(table)) == {"corrections": 2, "changed": 2}
    with pytest.raises(NotFound) as refused:
        sdk.corrections.put(ended, 2, "rust", tile=0)
    assert refused.value.problem.code == "no-tiles"
