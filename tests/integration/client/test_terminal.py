"""``watch`` in a real terminal of 80 columns."""

import os
import signal
import sys

import pytest

from tests.integration.api.conftest import Hands, rust, truncated
from tests.integration.client.conftest import Shell
from tests.integration.client.terminal import COLOUR, COLUMNS, Terminal


def watch(shell: Shell, job_id: str, **environment: str) -> Terminal:
    plain = {name: value for name, value in shell.environment.items() if name not in {"NO_COLOR", "COLUMNS"}}
    return Terminal([sys.executable, "-m", "phytobatch", "watch", job_id], {**plain, "TERM": "xterm", **environment})


@pytest.mark.parametrize(
    ("environment", "is_coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False)],
)
def test_it_is_drawn_in_80_columns(
    shell: Shell,
    committed: str,
    hands: Hands,
    environment: dict[str, str],
    is_coloured: bool,  # noqa: FBT001  # a table
) -> None:
    terminal = watch(shell, committed, **environment)
    terminal.wait_for("5 images: 5 to go")
    hands.step(committed)
    hands.step(committed)
    terminal.wait_for("5 images: 2 succeeded, 3 to go")
    hands.run(committed, lambda seq: truncated(seq) if seq == 5 else rust(seq))

    assert terminal.end() == 3
    assert max(map(len, terminal.rows)) <= COLUMNS
    assert bool(COLOUR.search(terminal.written)) is is_coloured
    assert any("running ━" in row and "40%" in row for row in terminal.rows)
    assert "5 images: 4 succeeded, 1 failed" in "\n".join(terminal.rows[-8:])


def test_a_terminal_that_can_nothing_gets_lines(shell: Shell, committed: str, hands: Hands) -> None:
    terminal = watch(shell, committed, TERM="dumb")
    terminal.wait_for("validating: 5 images")
    hands.run(committed)

    assert terminal.end() == 0
    assert "\x1b" not in terminal.written
    assert any(row.startswith("completed: 5 of 5 done") for row in terminal.rows)


def test_ctrl_c_leaves_the_job_alone_and_says_how_to_come_back(shell: Shell, committed: str) -> None:
    terminal = watch(shell, committed)
    terminal.wait_for("5 images: 5 to go")
    os.kill(terminal.process.pid, signal.SIGINT)

    assert terminal.end() == 130
    assert f"phytobatch watch {committed}" in terminal.written
    assert "Traceback" not in terminal.written
    assert shell.json("status", committed)["state"] == "validating"
