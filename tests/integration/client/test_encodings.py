"""Names that are no UTF-8, tables in UTF-16, and a terminal that has ASCII alone: the whole way of a submission."""

import json
import os
import subprocess
import sys
from pathlib import Path

from sqlalchemy import select

from shared.db.models import Image
from shared.db.session import Database
from tests.integration.client.conftest import Shell
from tests.patience import PATIENCE_SECONDS

ROW = os.fsdecode(b"fila \xf1")
PHOTO = os.fsdecode(b"caf\xe9.jpg")
NAMES = (
    ("fila \ufffd", "caf\ufffd.jpg"),
    ("fila \ufffd", "caf\ufffd~2.jpg"),
    ("fila \ufffd", "ñ.jpg"),
    ("other", "caf\ufffd.jpg"),
)


def test_a_folder_of_another_system_is_sent_with_its_table(shell: Shell, database: Database, tmp_path: Path) -> None:
    folder = tmp_path / ROW
    folder.mkdir()
    for name, body in ((PHOTO, b"one"), (os.fsdecode(b"caf\xe8.jpg"), b"two"), ("ñ.jpg", b"three")):
        (folder / name).write_bytes(body)
    other = tmp_path / "other"
    other.mkdir()
    (other / PHOTO).write_bytes(b"four")
    (folder / "images.csv").write_bytes("filename;crop\r\nñ.jpg;piña\r\n".encode("utf-16"))
    plain = Shell({**shell.environment, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "XDG_STATE_HOME": str(tmp_path)})
    sent = plain.json("submit", str(folder), str(other))
    assert sent["sidecars"][0]["matched"] == 1
    job = sent["job"]["id"]
    with database.begin() as session:
        names = list(session.scalars(select(Image.name).where(Image.job_id == job).order_by(Image.name)))
    assert names == [
        "fila \ufffd/caf\ufffd.jpg",
        "fila \ufffd/caf\ufffd~2.jpg",
        "fila \ufffd/ñ.jpg",
        "other/caf\ufffd.jpg",
    ]
    assert "Traceback" not in plain.run("status", os.fsdecode(b"job \xff"), code=2).stderr
    assert "Traceback" not in plain.run("submit", str(folder), "--name", ROW, "--new", code=2).stderr
    plain.run("submit", str(folder), "--name", "row", code=0)  # Nothing was begun that would have to be gone on with.
    shown = plain.run("status", job).stdout
    assert job in shown


def test_a_submission_goes_on_when_nobody_reads_how_far_it_is(shell: Shell, tmp_path: Path) -> None:
    """As `phytobatch submit … 2>&1 | head -1`: the reader of the notes is gone, the job is committed."""
    (tmp_path / "1.jpg").write_bytes(b"x")
    reader, writer = os.pipe()
    os.close(reader)
    environment = {**shell.environment, "XDG_STATE_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "phytobatch", "submit", str(tmp_path), "--json"]
    ended = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=writer, timeout=PATIENCE_SECONDS, check=False
    )
    os.close(writer)
    assert ended.returncode == 0
    assert json.loads(ended.stdout)["job"]["state"] != "draft"
