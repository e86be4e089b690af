"""``phytobatch plan`` without a network."""

from __future__ import annotations

import json

import pytest

from phytobatch.cli import main
from phytobatch.exit_codes import ExitCode


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server and no key."""
    monkeypatch.delenv("PHYTOBATCH_API_KEY", raising=False)


def test_a_flight_is_said_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--camera", "DJI Mini 4 Pro", "--height", "40", "--reads", "1"]) == ExitCode.OK
    said = capsys.readouterr().out
    assert "a pixel is 14.3 mm of the plants" in said
    assert "no, too far away" in said
    assert "up to 2.8 m above the plants" in said


def test_a_camera_of_ones_own_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    own = ["--sensor-width", "23.5", "--focal", "35", "--width", "6000", "--height", "5"]
    assert main(["plan", *own, "--reads", "0.6", "--json"]) == ExitCode.OK
    plan = json.loads(capsys.readouterr().out)
    assert plan["pixel_mm"] == pytest.approx(0.5595, abs=1e-4)
    assert plan["is_read"] is True


def test_another_lens_and_another_size_change_the_pixel(capsys: pytest.CaptureFixture[str]) -> None:
    main(["plan", "--camera", "mavic-3e", "--height", "10", "--focal", "24.58", "--width", "2640", "--json"])
    changed = json.loads(capsys.readouterr().out)
    main(["plan", "--camera", "mavic-3e", "--height", "10", "--json"])
    assert changed["pixel_mm"] == pytest.approx(json.loads(capsys.readouterr().out)["pixel_mm"], abs=1e-3)
    assert changed["pixels"] == [2640, 1978]


def test_without_a_server_it_says_less(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan"]) == ExitCode.OK
    captured = capsys.readouterr()
    assert "phantom-4-pro" in captured.out
    assert "--reads MM" in captured.err
    assert main(["plan", "--json", "--reads", "1"]) == ExitCode.OK
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["read_from_to_m"][1] > 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--camera", "GoPro", "--height", "3"], "not among the known cameras: mini-3"),
        (["--camera", "mini-3"], "--height METRES"),
        (["--sensor-width", "13", "--height", "3"], "needs --sensor-width MM, --focal MM and --width PIXELS"),
    ],
)
def test_what_is_missing_is_said(options: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", *options, "--reads", "1"]) == ExitCode.USAGE
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "nonsense"), [("--height", "1e-320"), ("--height", "1e308"), ("--focal", "1e308"), ("--reads", "1e-320")]
)
def test_measures_that_no_camera_has_are_refused(
    option: str, nonsense: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["plan", "--camera", "mini-4-pro", "--height", "3", option, nonsense])
    assert f"argument {option}: '{nonsense}' is not from " in capsys.readouterr().err
