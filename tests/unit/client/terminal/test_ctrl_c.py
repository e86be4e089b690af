"""An interrupt reaches the program, also when it comes in the worst moment."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from phytobatch.terminal.ctrl_c import CtrlC
from tests.patience import wait_for


class LetGo(io.IOBase):
    """Interrupted while it is finalized, as an answer that nobody needs any more."""

    def close(self) -> None:
        if not self.closed:
            signal.raise_signal(signal.SIGINT)
        super().close()


@pytest.fixture
def handler() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    CtrlC().install()
    yield
    signal.signal(signal.SIGINT, before)


def wait() -> None:
    wait_for(lambda: False)


def test_python_alone_loses_it() -> None:
    """The reason for all this; when it fails, Python does it right and the module can go."""
    lost = "import io, signal\nclass A(io.IOBase):\n    def close(self):\n        signal.raise_signal(signal.SIGINT)\n"
    ended = subprocess.run([sys.executable, "-c", f"{lost}A()\nprint('went on')"], capture_output=True, check=False)
    assert (ended.returncode, ended.stdout.strip()) == (0, b"went on")


@pytest.mark.usefixtures("handler")
def test_in_a_finalizer_it_comes_a_moment_later() -> None:
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012  # the interrupt may come in any of these
        LetGo()
        wait()


@pytest.mark.usefixtures("handler")
def test_elsewhere_it_comes_at_once() -> None:
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


@pytest.mark.usefixtures("handler")
def test_closing_that_does_not_end_is_interrupted_too() -> None:
    def close() -> None:
        signal.raise_signal(signal.SIGINT)
        wait()

    with pytest.raises(KeyboardInterrupt):
        close()


def test_the_handler_of_a_program_around_us_is_left_alone() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        CtrlC().install()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
