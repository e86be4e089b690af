"""The summary of a job."""

import pytest

from phytobatch.reports.tally import FAILURES_KEPT, Tally
from phytobatch.resources import Result


def test_labels_are_counted_with_their_share_and_failures_apart() -> None:
    results = [Result(n, f"{n}.jpg", "succeeded", "rust", needs_review=False) for n in range(2)]
    results += [Result(3, "3.jpg", "succeeded", "healthy", needs_review=False)]
    results += [Result(4, "4.jpg", "succeeded", "rust", needs_review=True, review_reason="not_a_leaf")]
    results += [Result(n, f"{n}.jpg", "failed", error_code="empty") for n in range(5, 35)]
    tally = Tally()

    assert list(tally.counting(results)) == results
    assert [(label, images) for label, images, _ in tally.rows()] == [("rust", 2), ("healthy", 1)]
    assert [share for *_, share in tally.rows()] == pytest.approx([2 / 3, 1 / 3])
    assert (tally.review, tally.failed, len(tally.failures)) == ({"not_a_leaf": 1}, 30, FAILURES_KEPT)
    assert tally.to_json()["labels"]["rust"] == {"images": 2, "share": 0.666667}
    assert tally.to_json()["review"] == {"not_a_leaf": 1}


def test_a_job_without_results_has_an_empty_summary() -> None:
    empty = {"labels": {}, "needs_review": 0, "review": {}, "not_classified": 0, "failures": []}
    assert Tally().to_json() == empty
