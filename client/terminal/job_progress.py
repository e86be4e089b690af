"""How far a job is: a bar on a terminal, a line when the counts change anywhere else."""

import time
from collections import deque
from types import TracebackType
from typing import Protocol, Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from client.resources import Counts, Job
from client.terminal.output import Output

LINE_SECONDS = 5.0
RATE_SECONDS = 15.0


class JobProgress(Protocol):
    """Shows jobs as they come; used with ``with``."""

    def show(self, job: Job) -> None:
        """The job as it is now."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


def job_progress(output: Output) -> JobProgress:
    """The one that fits the terminal."""
    return JobBar(output) if output.is_live else JobLines(output)


class Rate:
    """Images per second over the last ``RATE_SECONDS``."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def add(self, now: float, done: int) -> float:
        """The rate after ``done`` images at the monotonic time ``now``; 0 until two moments are known."""
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[0][0] > RATE_SECONDS:  # noqa: PLR2004  # a rate needs two
            self._seen.popleft()
        then, before = self._seen[0]
        return (done - before) / (now - then) if now > then else 0.0


class JobBar:
    """State, bar, counts and rate in 80 columns."""

    def __init__(self, output: Output) -> None:
        self._rate = Rate()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[more]}"),
            TimeElapsedColumn(),
            console=output.errors,
            transient=True,
            expand=True,
        )
        self._task = self._progress.add_task("waiting", total=None, more="")

    def show(self, job: Job) -> None:
        """Redraw."""
        rate = self._rate.add(time.monotonic(), job.counts.done)
        self._progress.update(
            self._task,
            description=job.state,
            total=job.counts.total,
            completed=job.counts.done,
            more=", ".join([f"{rate:.1f}/s", *troubles(job.counts)]),
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()


class JobLines:
    """Terse lines for logs."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._rate = Rate()
        self._state = ""
        self._last = 0.0

    def show(self, job: Job) -> None:
        """A line for a new state, and now and then for new counts."""
        now = time.monotonic()
        rate = self._rate.add(now, job.counts.done)
        if job.state == self._state and now - self._last < LINE_SECONDS:
            return
        self._state, self._last = job.state, now
        done = f"{job.counts.done:,} of {job.counts.total:,} done"
        self._output.note(f"{job.state}: " + ", ".join([done, *troubles(job.counts), f"{rate:.1f} images/s"]))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass


def troubles(counts: Counts) -> list[str]:
    """Words for the images that have no classification; none for a job without trouble."""
    numbers = {"failed": counts.failed, "rejected": counts.rejected, "canceled": counts.canceled}
    return [f"{number:,} {word}" for word, number in numbers.items() if number]
