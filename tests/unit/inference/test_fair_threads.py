import threading
from concurrent.futures import CancelledError, Future

import pytest

from tests.patience import PATIENCE_SECONDS
from worker.inference.fair_threads import FairThreads


def test_calls_are_made_and_their_results_and_errors_come_back() -> None:
    threads = FairThreads("test", 2)
    share = threads.share()
    assert [share.submit(lambda n=n: n * n).result(PATIENCE_SECONDS) for n in range(5)] == [0, 1, 4, 9, 16]  # type: ignore[misc]
    with pytest.raises(ZeroDivisionError):
        share.submit(lambda: 1 // 0).result(PATIENCE_SECONDS)
    threads.close()


def test_as_many_calls_run_at_a_time_as_there_are_threads() -> None:
    threads = FairThreads("test", 3)
    together = threading.Barrier(3, timeout=PATIENCE_SECONDS)
    shares = [threads.share(), threads.share()]
    for future in [shares[n % 2].submit(together.wait) for n in range(3)]:
        future.result(PATIENCE_SECONDS)
    threads.close()


def test_a_share_that_used_little_goes_before_one_that_used_much() -> None:
    """The next call is one of the run with the least time, however many calls of others came before it."""
    threads = FairThreads("test", 1)
    greedy, modest = threads.share(), threads.share()
    order: list[str] = []
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        assert go_on.wait(PATIENCE_SECONDS)
        order.append("slow")

    calls: list[Future[None]] = [greedy.submit(slow)]
    assert begun.wait(PATIENCE_SECONDS)
    calls += [greedy.submit(lambda: order.append("greedy")) for _ in range(50)]
    calls += [modest.submit(lambda: order.append("modest")) for _ in range(3)]
    greedy.used_seconds += 100  # As after pictures of many seconds.
    go_on.set()
    for call in calls:
        call.result(PATIENCE_SECONDS)
    assert order == ["slow", *["modest"] * 3, *["greedy"] * 50]
    threads.close()


def test_who_did_nothing_for_a_while_has_saved_nothing_up() -> None:
    threads = FairThreads("test", 1)
    busy, newcomer = threads.share(), threads.share()
    begun, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        assert go_on.wait(PATIENCE_SECONDS)

    first = busy.submit(wait)
    assert begun.wait(PATIENCE_SECONDS)
    busy.used_seconds = 100.0
    second = newcomer.submit(lambda: None)
    assert newcomer.used_seconds >= 100
    go_on.set()
    first.result(PATIENCE_SECONDS)
    second.result(PATIENCE_SECONDS)
    threads.close()


def test_a_canceled_share_leaves_the_others_alone() -> None:
    threads = FairThreads("test", 1)
    canceled, other = threads.share(), threads.share()
    begun, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        assert go_on.wait(PATIENCE_SECONDS)

    first = other.submit(wait)
    assert begun.wait(PATIENCE_SECONDS)
    waiting = [canceled.submit(lambda: None) for _ in range(3)]
    kept = other.submit(lambda: "kept")
    canceled.cancel()
    go_on.set()
    first.result(PATIENCE_SECONDS)
    assert kept.result(PATIENCE_SECONDS) == "kept"
    assert all(one.cancelled() for one in waiting)
    assert canceled.submit(lambda: "again").result(PATIENCE_SECONDS) == "again"
    threads.close()


def test_closing_cancels_what_waits_and_awaits_what_runs() -> None:
    threads = FairThreads("test", 1)
    share = threads.share()
    begun, go_on = threading.Event(), threading.Event()

    def wait() -> str:
        begun.set()
        assert go_on.wait(PATIENCE_SECONDS)
        return "done"

    running, waiting = share.submit(wait), share.submit(lambda: None)
    assert begun.wait(PATIENCE_SECONDS)
    closing = threading.Thread(target=threads.close)
    closing.start()
    with pytest.raises(CancelledError):
        waiting.result(PATIENCE_SECONDS)
    go_on.set()
    closing.join(PATIENCE_SECONDS)
    assert running.result(0) == "done"
    with pytest.raises(RuntimeError, match="closed"):
        share.submit(lambda: None)
