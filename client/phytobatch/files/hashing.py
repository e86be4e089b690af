"""SHA-256 of many files at a time, in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from phytobatch import checksum

T = TypeVar("T")
R = TypeVar("R")

HASH_THREADS = 4
# How many files may be hashed ahead of the one that is taken next: enough to keep the threads busy.
LOOKAHEAD = 4 * HASH_THREADS


def sha256_of(path: Path) -> str:
    """Return the checksum of a file as 64 hexadecimal digits, read in blocks.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb", buffering=0) as stream:
        return checksum.sha256_of(stream)


def in_order(work: Callable[[T], R], items: Iterable[T], *, threads: int = HASH_THREADS) -> Iterator[R]:
    """Yield ``work(item)`` for each item in the order of the items, a bounded number of them ahead in threads.

    What ``work`` raises is raised where its result would have come. Work that was not begun is dropped when the
    iteration is given up.
    """
    pool = ThreadPoolExecutor(threads, thread_name_prefix="hash")
    ahead: deque[Future[R]] = deque()
    try:
        for item in items:
            ahead.append(pool.submit(work, item))
            if len(ahead) >= LOOKAHEAD:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
