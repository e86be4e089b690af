"""The place of journals."""

from __future__ import annotations

from pathlib import Path

from phytobatch.submission.location import default_state_dir, journal_path

KEY = "pb_abcdefgh_secret-part"


def where(url: str = "https://x", key: str = KEY, *paths: str) -> Path:
    return journal_path(Path("/state"), url=url, api_key=key, paths=[Path(each) for each in paths or ("/a", "/b")])


def test_the_same_folders_in_another_order_are_the_same_submission() -> None:
    assert where("https://x", KEY, "/a", "/b") == where("https://x", KEY, "/b", "/a")


def test_another_server_tenant_or_folder_is_another_submission() -> None:
    assert len({where(), where("https://y"), where("https://x", "pb_other"), where("https://x", KEY, "/a")}) == 4


def test_the_name_of_the_file_has_nothing_of_the_key() -> None:
    assert not any(part in str(where()) for part in ("abcdefgh", "secret"))


def test_the_folder_is_the_one_of_the_platform() -> None:
    assert default_state_dir({"XDG_STATE_HOME": "/xdg"}, "linux") == Path("/xdg/phytobatch")
    assert default_state_dir({}, "linux") == Path.home() / ".local" / "state" / "phytobatch"
    assert default_state_dir({"LOCALAPPDATA": "/l"}, "win32") == Path("/l/phytobatch/state")
    assert default_state_dir({}, "darwin").parent.name == "Application Support"
