"""``phytobatch summary`` over the real API."""

import json
from pathlib import Path

import pytest

from phytobatch import Phytobatch
from phytobatch.errors import ApiError
from tests.integration.api.conftest import Hands, rust, truncated
from tests.integration.client.conftest import Shell


@pytest.fixture
def ended(committed: str, hands: Hands) -> str:
    """Five images: four rust, one broken."""
    hands.run(committed, lambda seq: truncated(seq) if seq == 5 else rust(seq))
    return committed


def test_it_prints_shares_and_what_to_look_at(shell: Shell, ended: str) -> None:
    said = shell.run("summary", ended, "--by", "row").stdout
    assert "5 images, 4 counted, 100.0% of them diseased (95 % interval 51.0 to 100.0 %), 1 without a" in said
    assert "rust        4  100.0%" in said
    assert "0 images with a position; without one: 5 not_read" in said
    assert "(none)" in said
    assert "1.jpg" in said.split("to look at first:")[1]


def test_json_is_the_answer_of_the_server(shell: Shell, ended: str, sdk: Phytobatch) -> None:
    assert shell.json("summary", ended) == sdk.summary(ended).raw


def test_a_grid_is_written_as_geojson(shell: Shell, ended: str, tmp_path: Path) -> None:
    out = tmp_path / "grid.geojson"
    assert "0 squares of 5 m" in shell.run("summary", ended, "--grid", str(out), "--edge", "5").stderr
    assert json.loads(out.read_text())["type"] == "FeatureCollection"


def test_groups_and_labels_of_the_sdk(sdk: Phytobatch, ended: str) -> None:
    summary = sdk.summary(ended, group_by=["row", "bay"], healthy=["rust"])
    assert set(summary.groups) == {"row", "bay"}
    assert summary.overall.diseased == 0
    assert summary.overall.labels == {"rust": (4, 1.0)}
    assert summary.uncertain[0].label == "rust"


def test_a_time_zone_that_is_none_is_refused(sdk: Phytobatch, ended: str) -> None:
    with pytest.raises(ApiError, match="Mars"):
        sdk.summary(ended, time_zone="Mars/Olympus")
