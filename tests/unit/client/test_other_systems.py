"""Windows and macOS, as far as a Linux machine can be them: modules that are missing, paths, locks, files in use."""

from __future__ import annotations

import argparse
import importlib.util
import io
import os
import signal
import subprocess
import sys
import types
from datetime import datetime, timezone
from pathlib import Path, PureWindowsPath
from typing import IO

import pytest

from phytobatch.commands.options import moment_ago
from phytobatch.corrections import folder as training
from phytobatch.corrections.resources import Correction
from phytobatch.errors import ConfigurationError
from phytobatch.files.discovery import FoundFile
from phytobatch.files.naming import assign_names
from phytobatch.reports.atomic import replacing
from phytobatch.submission import filelock
from phytobatch.terminal import ctrl_c
from tests.patience import PATIENCE_SECONDS

# The standard library and our two dependencies are loaded as Linux has them; ours are loaded again as Windows does.
AS_WINDOWS = """
import importlib, pkgutil, sys, types
import phytobatch, rich.live, rich.progress
names = ["phytobatch", *(m.name for m in pkgutil.walk_packages(phytobatch.__path__, "phytobatch."))]
names.remove("phytobatch.__main__")
for name in names:
    importlib.import_module(name)
for name in [name for name in sys.modules if name.split(".")[0] == "phytobatch"]:
    del sys.modules[name]
for missing in ("fcntl", "grp", "pwd", "resource", "termios", "tty"):
    sys.modules[missing] = None
sys.modules["msvcrt"] = types.ModuleType("msvcrt")
sys.platform = "win32"
for name in names:
    importlib.import_module(name)
print(len(names))
"""


def test_every_module_is_imported_where_there_is_no_fcntl() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", AS_WINDOWS], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 80


class Msvcrt(types.ModuleType):
    """``locking`` of Windows: one holder of a byte, told by the position of the file; positions have 32 bits."""

    LK_NBLCK = 2

    def __init__(self) -> None:
        super().__init__("msvcrt")
        self.locked: set[tuple[int, int]] = set()

    def locking(self, descriptor: int, mode: int, count: int) -> None:
        position = os.lseek(descriptor, 0, os.SEEK_CUR)
        byte = (os.fstat(descriptor).st_ino, position)
        if (mode, count) != (self.LK_NBLCK, 1) or position >= 2**31 or byte in self.locked:
            raise OSError(13, "Permission denied")
        self.locked.add(byte)


def test_the_lock_of_windows_keeps_the_second_away_and_the_place_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "msvcrt", Msvcrt())
    monkeypatch.setattr(sys, "platform", "win32")
    spec = importlib.util.spec_from_file_location("filelock_of_windows", filelock.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    path = tmp_path / "a.journal"
    path.write_bytes(b"{}\n")
    with path.open("r+b", buffering=0) as first, path.open("r+b", buffering=0) as second:
        first.read()
        assert [module.lock_exclusively(stream) for stream in (first, second)] == [True, False]
        assert (first.tell(), second.tell()) == (3, 0)


def found(*paths: tuple[str, str]) -> list[FoundFile]:
    """Files as Windows names them. Pure paths: only their words matter here."""
    made: list[FoundFile] = []
    for root, relative in paths:
        folder = PureWindowsPath(root)
        posix = PureWindowsPath(relative).as_posix()
        made.append(FoundFile(folder / relative, folder, posix, 1, 1))  # type: ignore[arg-type]  # a real one is Windows'
    return made


def test_names_have_neither_backslashes_nor_drives() -> None:
    files = found(("C:\\flights\\may", "row 1\\DJI_0001.JPG"))
    assert list(assign_names(files).values()) == ["row 1/DJI_0001.JPG"]


def test_folders_on_two_drives_are_told_apart_by_the_letter() -> None:
    files = found(("D:\\flights", "1.jpg"), ("E:\\flights", "1.jpg"), ("\\\\nas\\fotos\\flights", "1.jpg"))
    assert list(assign_names(files).values()) == ["D/flights/1.jpg", "E/flights/1.jpg", "nas/fotos/flights/1.jpg"]


@pytest.mark.parametrize("label", ["con", "NUL", "aux.old", "COM1", "rust."])
def test_a_label_that_windows_cannot_have_as_a_folder_is_refused_there(
    label: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    correction = Correction.from_json({"seq": 1, "name": "1.jpg", "label": label, "created_at": "2026-05-14T10:00:00Z"})
    assert training.path_of("job", correction, tmp_path).parent.name == label
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(ConfigurationError, match="cannot be the name of a folder"):
        training.path_of("job", correction, tmp_path)


def test_an_old_file_that_a_spreadsheet_has_open_stays_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "results.csv"
    out.write_text("old", encoding="utf-8")

    def in_use(_self: Path, _target: Path) -> Path:
        raise PermissionError(13, "The process cannot access the file", "results.csv.part")

    monkeypatch.setattr(Path, "replace", in_use)
    with (
        pytest.raises(ConfigurationError, match=r"results\.csv cannot be written: The process"),
        replacing(out) as file,
    ):
        file.write("new")
    assert [path.name for path in tmp_path.iterdir()] == ["results.csv"]
    assert out.read_text(encoding="utf-8") == "old"


def test_an_interrupt_is_repeated_where_threads_have_no_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[int] = []
    monkeypatch.delattr(signal, "pthread_kill")
    monkeypatch.setattr(signal, "raise_signal", raised.append)
    ctrl_c._interrupt(signal.SIGINT)
    assert raised == [signal.SIGINT]


def test_a_time_before_those_of_windows_is_refused_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    class Local(datetime):
        def astimezone(self, _zone: object = None) -> datetime:  # type: ignore[override]  # as Windows does
            raise OSError(22, "Invalid argument")

    monkeypatch.setattr(
        "phytobatch.commands.options.parse_moment", lambda _text: Local(1960, 1, 1, tzinfo=timezone.utc)
    )
    with pytest.raises(argparse.ArgumentTypeError, match="too long ago"):
        moment_ago("1960-01-01")


def test_a_console_of_windows_shows_what_it_cannot_write_escaped() -> None:
    from phytobatch.cli import _tolerant

    raw = io.BytesIO()
    console: IO[str] = io.TextIOWrapper(raw, encoding="cp1252", newline="\n")
    stream = _tolerant(console)  # type: ignore[arg-type]  # a TextIO by all that matters
    stream.write("Müller 🌱\n")
    stream.flush()
    assert raw.getvalue() == b"M\xfcller \\U0001f331\n"
