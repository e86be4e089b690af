"""The command line, as far as it goes without a server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from phytobatch.cli import build_parser, main
from phytobatch.commands import COMMANDS
from phytobatch.commands.command import Command, Group


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PHYTOBATCH_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("PHYTOBATCH_API_KEY", "pb_secret")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "80")
    # Nobody wants to wait for a server that is known not to be there.
    monkeypatch.setattr("phytobatch.commands.command.RETRY_SECONDS", 0.0)


def every_command() -> list[list[str]]:
    """The words of each command, those in groups too."""
    groups = [row for row in COMMANDS if isinstance(row, Group)]
    return [[row.name] for row in COMMANDS if isinstance(row, Command)] + [
        [group.name, row.name] for group in groups for row in group.commands
    ]


@pytest.mark.parametrize("command", [[], ["webhooks"], ["deliveries"], *every_command()])
def test_help_fits_80_columns_and_names_every_exit_code(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])

    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert max(len(line) for line in text.splitlines()) <= 80
    if not command:
        assert all(f"  {code}  " in text for code in (0, 3, 7, 9, 130))
    assert ("examples:" in text) is (command in every_command())


@pytest.mark.parametrize("arguments", [["--json", "version"], ["version", "--json"]])
def test_common_options_stand_before_or_after_the_command(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["version"]


def test_there_is_no_option_that_would_show_the_key_in_process_lists() -> None:
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args(["jobs", "--key", "pb_secret"])
    assert ended.value.code == 2


def test_no_server_ends_with_7_and_json_says_so_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs", "--json"]) == 7

    captured = capsys.readouterr()
    assert json.loads(captured.out)["error"]["kind"] == "NetworkError"
    assert "pb_secret" not in captured.out + captured.err


def test_no_key_ends_with_2(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("PHYTOBATCH_API_KEY")

    assert main(["jobs"]) == 2
    assert "PHYTOBATCH_API_KEY" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["submit"],
        ["submit", ".", "--parallel", "0"],
        ["submit", ".", "--metadata", "novalue"],
        ["submit", ".", "--patience", "-1"],
        ["results", "JOB", "--status", "pending"],
        ["webhooks"],
        ["webhooks", "create"],
        ["webhooks", "create", "https://x", "--event", "job.nonsense"],
        ["webhooks", "redeliver", "ID"],
        ["webhooks", "redeliver", "ID", "--since", "yesterday"],
        ["deliveries", "list", "--state", "lost"],
        ["nonsense"],
    ],
)
def test_wrong_options_end_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_a_folder_without_images_ends_with_2_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    (folder / "notes.txt").write_text("x")

    assert main(["submit", str(folder)]) == 2
    assert "1 other files" in capsys.readouterr().err
    assert list((tmp_path / "state").rglob("*.journal")) == []


def test_an_out_file_that_cannot_work_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    assert main(["submit", str(tmp_path), "--out", "results.xlsx"]) == 2
    assert main(["watch", "JOB", "--out", str(tmp_path / "no" / "r.csv")]) == 2


@pytest.mark.parametrize(
    "table", [COMMANDS, *(row.commands for row in COMMANDS if isinstance(row, Group))], ids=lambda table: table[0].name
)
def test_every_command_has_a_name_of_its_own_and_an_example(table: tuple[Command | Group, ...]) -> None:
    assert len({row.name for row in table}) == len(table)
    assert all(row.examples for row in table if isinstance(row, Command))


def test_an_update_without_a_change_is_refused_before_anything_is_sent(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["webhooks", "update", "ID"]) == 2
    assert "--to" in capsys.readouterr().err


def test_a_lost_connection_says_how_to_come_back(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "JOB", "--patience", "0.01"]) == 7
    assert "phytobatch watch JOB" in capsys.readouterr().err
