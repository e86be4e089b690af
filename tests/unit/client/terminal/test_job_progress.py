"""What a person sees of a job on its way."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from rich.console import Console

from phytobatch.errors import NetworkError, Problem, ServerUnavailable
from phytobatch.resources import Counts, Job, Progress, Work
from phytobatch.terminal.connection import Connection
from phytobatch.terminal.job_progress import JobBar, JobLines, job_progress, line
from phytobatch.terminal.job_words import breakdown, pace
from phytobatch.terminal.output import Output

COLOUR = re.compile(r"\x1b\[(?:\d+;)*[39]\d")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


def job(state: str, progress: Progress | None = None, **counts: int) -> Job:
    return Job("0192", state, Counts(**counts), progress=progress)


HALF = {"total": 50, "pending": 25, "succeeded": 25}
FAST = Progress(50.0, images_per_second=12.4, seconds_left=185.0)
RUNNING = job("running", FAST, total=60, pending=12, succeeded=46, failed=1, rejected=1)
QUEUED = job("queued", Progress(queue_position=2), total=60, pending=60)


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (job("draft"), "draft: 0 images, waits for its commit"),
        (job("validating", total=60, pending=60), "validating: 60 images, looking at what arrived"),
        (QUEUED, "queued: 60 images, 2nd in the queue"),
        (
            job("queued", Progress(queue_position=1, paused=True), total=1, pending=1),
            "queued: 1 image, paused by the operator, goes on by itself afterwards",
        ),
        (job("queued", Progress(queue_position=1), total=1, pending=1), "queued: 1 image, next in the queue"),
        (job("queued", Progress(), total=2, pending=2), "queued: 2 images, waits for a worker"),
        (job("running", total=2, pending=2), "running: 0 of 2 done, waits for its first results"),
        (RUNNING, "running: 48 of 60 done, 1 failed, 1 rejected, 12.4 images/s, about 3 min left"),
        (
            job("completed", Progress(images_per_second=0.5), total=2, succeeded=2),
            "completed: 2 of 2 done, 30.0 images/min",
        ),
        (
            job("validating", Progress(work=Work(inspected=1200)), total=2000, pending=2000),
            "validating: 2,000 images, inspecting 1,200 of 2,000",
        ),
        (
            job("validating", Progress(work=Work()), total=2000, pending=2000),
            "validating: 2,000 images, looking at what arrived",
        ),
        (
            job(
                "queued", Progress(queue_position=1, work=Work(total=9600, estimated_seconds=700)), total=50, pending=50
            ),
            "queued: 50 images, 0 of 9,600 tiles, next in the queue, about 12 min of work",
        ),
        (
            job("running", Progress(work=Work(total=9600, done=1200, per_second=56.0), seconds_left=150), **HALF),
            "running: 25 of 50 done, 1,200 of 9,600 tiles, 56.0 tiles/s, about 2 min left",
        ),
    ],
)
def test_a_line_says_state_counts_and_what_comes(shown: Job, words: str) -> None:
    assert line(shown) == words


def test_the_counts_add_up() -> None:
    assert breakdown(RUNNING.counts) == "60 images: 46 succeeded, 1 failed, 1 rejected, 12 to go"
    assert sum(map(int, re.findall(r"\d+", breakdown(RUNNING.counts))[1:])) == RUNNING.counts.total


def test_the_time_left_goes_on_passing_and_is_not_said_when_it_has_passed() -> None:
    assert pace(RUNNING, since=150) == "12.4 images/s, about 40 s left"
    assert pace(RUNNING, since=200) == "12.4 images/s"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def output(said: list[str], monkeypatch: pytest.MonkeyPatch) -> Output:
    made = Output()
    monkeypatch.setattr(made, "note", said.append)
    return made


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the monotonic clock of the display."""

    def set_clock(seconds: float) -> None:
        monkeypatch.setattr("time.monotonic", lambda: 1000.0 + seconds)

    set_clock(0)
    return set_clock


def done(images: int) -> Job:
    return job("running", FAST, total=1000, pending=1000 - images, succeeded=images)


def tiled(tiles: int) -> Job:
    return job("running", Progress(work=Work(total=1000, done=tiles)), total=1, pending=1)


def test_a_log_follows_the_tiles_of_a_single_photograph(
    output: Output, said: list[str], at: Callable[[float], None]
) -> None:
    lines = JobLines(output)
    for seconds, tiles in [(0, 0), (8, 40), (20, 100)]:
        at(seconds)
        lines.show(tiled(tiles))

    assert [text.partition(" done, ")[2].partition(" tiles")[0] for text in said] == ["0 of 1,000", "100 of 1,000"]


def test_a_log_gets_a_line_for_each_state_and_now_and_then_for_progress(
    output: Output, said: list[str], at: Callable[[float], None]
) -> None:
    lines = JobLines(output)
    for seconds, shown in [
        (0, QUEUED),
        (1, QUEUED),  # the same
        (2, done(0)),  # a new state
        (3, done(400)),  # too soon
        (8, done(410)),  # much since the last line
        (20, done(420)),  # little
        (69, done(430)),  # little, but long ago
        (70, job("completed", FAST, total=1000, succeeded=1000)),
    ]:
        at(seconds)
        lines.show(shown)

    assert [text.split(",")[0] for text in said] == [
        "queued: 60 images",
        "running: 0 of 1",
        "running: 410 of 1",
        "running: 430 of 1",
        "completed: 1",
    ]


def drawn(shown: Job, connection: Connection | None = None, *, no_color: bool = False) -> str:
    """What a terminal of 80 columns gets."""
    output = Output(no_color=no_color)
    stream = io.StringIO()
    output.errors = Console(
        file=stream, width=80, force_terminal=True, color_system="standard", no_color=no_color, legacy_windows=False
    )
    with JobBar(output, connection or Connection(output, 600)) as bar:
        bar.show(shown)
        return stream.getvalue()


BIG = job(
    "running",
    Progress(61.7, images_per_second=118.2, seconds_left=7500),
    total=200_000,
    pending=76_000,
    succeeded=123_400,
    failed=400,
    rejected=200,
)


@pytest.mark.parametrize("shown", [QUEUED, RUNNING, BIG, job("draft"), job("validating", total=60, pending=60)])
@pytest.mark.parametrize("no_color", [False, True])
def test_the_drawing_fits_80_columns_with_and_without_colour(shown: Job, no_color: bool) -> None:  # noqa: FBT001  # a table
    text = drawn(shown, no_color=no_color)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)

    assert all(len(row) <= 80 for row in re.split(r"[\r\n]+", plain))
    assert breakdown(shown.counts) in plain
    assert pace(shown) in plain
    assert shown.state in plain
    assert bool(COLOUR.search(text)) is not no_color


def test_not_everything_is_done_before_it_is() -> None:
    assert "99%" in drawn(job("running", total=1000, succeeded=999, pending=1))
    assert "100%" in drawn(job("running", total=1000, succeeded=1000))


REFUSED = NetworkError("No answer from http://127.0.0.1:1: Connection refused.", reason="Connection refused")


def test_a_connection_that_is_soon_back_is_not_worth_a_word(
    output: Output, said: list[str], at: Callable[[float], None]
) -> None:
    connection = Connection(output, 600)
    connection.lost(REFUSED, 0.5)
    at(1)
    connection.lost(REFUSED, 1)
    assert connection.silent_seconds is None
    connection.back()
    assert said == []


def test_a_connection_that_is_lost_for_long_is_said_once_on_one_line(
    output: Output, said: list[str], at: Callable[[float], None]
) -> None:
    connection = Connection(output, 600)
    for seconds in (0, 2, 4, 8):
        at(seconds)
        connection.lost(REFUSED, 2)
    assert connection.silent_seconds == 8
    connection.back()
    connection.back()

    assert said == ["connection lost (Connection refused); trying again for up to 10 min", "connected again"]
    assert connection.silent_seconds is None


def test_a_server_that_is_away_is_named_by_its_answer(output: Output, said: list[str]) -> None:
    Connection(output, 600).lost(ServerUnavailable(Problem(503, "database-unavailable", "Away")), 5)

    assert said == ["connection lost (503 database-unavailable); trying again for up to 10 min"]


def test_nothing_is_promised_while_the_connection_is_lost(
    output: Output, said: list[str], at: Callable[[float], None]
) -> None:
    connection = Connection(output, 600)
    connection.lost(REFUSED, 5)
    at(9)

    text = drawn(RUNNING, connection)
    assert "no news for 9 s" in text
    assert "images/s" not in text
    assert said


def test_lines_are_what_a_file_gets(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output()
    with job_progress(output, Connection(output, 600)) as progress:
        progress.show(RUNNING)

    text = capsys.readouterr().err
    assert text == line(RUNNING) + "\n"
    assert not CONTROL.search(text)
