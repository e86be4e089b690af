"""Progress of a download: a bar on a terminal, nothing anywhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from phytobatch.terminal.output import Output


@contextmanager
def downloading(output: Output, what: str, size: int | None) -> Iterator[Callable[[int], None]]:
    """Yield a function to call with the bytes that arrive; ``size`` is None if the total is unknown."""
    if not output.is_live:
        yield lambda _: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=output.errors,
        transient=True,
        expand=True,
    )
    with bar:
        task = bar.add_task(what, total=size)
        yield lambda count: bar.advance(task, count)
