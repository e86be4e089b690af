"""Progress bars on the terminal, with the current task and the remaining time."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.logging import RichHandler
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

# One for bars and log lines, so that neither is drawn over the other.
CONSOLE = Console(stderr=True)
Advance = Callable[[str, int, int, str], None]


def configure_logging() -> None:
    """Log lines with their time above the bars; leave out the messages of the converters."""
    handler = RichHandler(console=CONSOLE, show_level=False, show_path=False, log_time_format="%H:%M:%S")
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=[handler])
    logging.getLogger("tf2onnx").setLevel(logging.WARNING)


@contextmanager
def bars() -> Iterator[Advance]:
    """Yield a function that takes (what, done, total, words); each ``what`` gets a bar. Only a terminal shows bars."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[words]}"),
    )
    with Progress(*columns, console=CONSOLE, disable=not CONSOLE.is_terminal) as progress:
        tasks: dict[str, int] = {}

        def advance(what: str, done: int, total: int, words: str) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total, words="")
            progress.update(progress.task_ids[list(tasks).index(what)], completed=done, total=total, words=words)

        yield advance
