"""Progress of a job: a bar on a terminal, a line now and then anywhere else."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from phytobatch.resources import Job
from phytobatch.terminal.connection import Connection
from phytobatch.terminal.job_words import breakdown, pace, tiles_done, troubles
from phytobatch.terminal.output import Output
from phytobatch.words import clock, in_time, plural

if TYPE_CHECKING:
    from rich.console import RenderableType
    from typing_extensions import Self

REDRAWS_PER_SECOND = 4
# In a log a line is worth its place when this much happened since the last one.
LINE_SECONDS = 5.0
LINE_PERCENT = 5.0
MAX_LINE_SECONDS = 60.0


class JobProgress(Protocol):
    """A display of jobs as they come; used with ``with``."""

    def show(self, job: Job) -> None:
        """Show the job as it is now."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


def job_progress(output: Output, connection: Connection) -> JobProgress:
    """Return the display that fits the terminal."""
    return JobBar(output, connection) if output.is_live else JobLines(output)


class JobBar:
    """State, bar and time on one line, the counts below it, then speed and time left or the place in the queue."""

    def __init__(self, output: Output, connection: Connection) -> None:
        self._connection = connection
        self._job: Job | None = None
        self._began = self._shown_at = time.monotonic()
        from rich.live import Live

        self._live = Live(
            console=output.errors,
            get_renderable=self._draw,
            transient=True,
            refresh_per_second=REDRAWS_PER_SECOND,
        )

    def show(self, job: Job) -> None:
        """Redraw."""
        self._job, self._shown_at = job, time.monotonic()
        self._live.refresh()

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()

    def _draw(self) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        now = time.monotonic()
        if self._job is None:
            return Text("connecting")
        return Group(
            self._bar(self._job, now - self._began),
            Text("; ".join(filter(None, [breakdown(self._job.counts), tiles_done(self._job)]))),
            Text(self._pace(self._job, now - self._shown_at), style="dim"),
        )

    def _pace(self, job: Job, since: float) -> str:
        # What was promised before the connection was lost may not hold any more.
        silent = self._connection.silent_seconds
        return pace(job, since=since) if silent is None else f"no news for {in_time(silent)}"

    @staticmethod
    def _bar(job: Job, elapsed: float) -> RenderableType:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        done, total = amount(job)
        line = Table.grid(expand=True, padding=(0, 1))
        line.add_column()
        line.add_column(ratio=1)
        line.add_column(justify="right")
        line.add_column(justify="right")
        # Rounded down: 100% is said when nothing is left to do.
        percent = f"{100 * done // total if total else 0}%"
        bar = ProgressBar(total=max(1, total), completed=done)
        line.add_row(Text(job.state, style="bold"), bar, Text(percent), Text(clock(elapsed), style="dim"))
        return line


class JobLines:
    """Terse lines for logs: one for each new state, and one when much has happened."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._shown: Job | None = None
        self._last = 0.0

    def show(self, job: Job) -> None:
        """Print a line if enough has changed."""
        now = time.monotonic()
        if self._is_worth_it(job, now - self._last):
            self._shown, self._last = job, now
            self._output.note(line(job))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass

    def _is_worth_it(self, job: Job, seconds: float) -> bool:
        before = self._shown
        if before is None or job.state != before.state:
            return True
        if line(job) == line(before):
            return False
        (done, total), (done_before, _) = amount(job), amount(before)
        moved = 100 * (done - done_before) >= LINE_PERCENT * total
        return seconds >= (LINE_SECONDS if moved else MAX_LINE_SECONDS)


def amount(job: Job) -> tuple[int, int]:
    """Return what is done and all there is: tiles where their number is known, else images."""
    work = job.progress.work if job.progress else None
    if work is None or work.total is None or job.is_terminal:
        return job.counts.done, job.counts.total
    return work.done, work.total


def line(job: Job) -> str:
    """Describe a job in one line: ``running: 48 of 60 done, 1 failed, 12.4 images/s, about 3 min left``."""
    counts = job.counts
    is_begun = counts.done > 0 or job.state == "running" or job.is_terminal
    done = f"{counts.done:,} of {counts.total:,} done" if is_begun else plural(counts.total, "image")
    return f"{job.state}: " + ", ".join(filter(None, [done, tiles_done(job), *troubles(counts), pace(job)]))
