"""The summary of a job."""

from client.reports.tally import FAILURES_KEPT, Tally
from client.resources import Result


def test_labels_are_counted_with_their_share_and_failures_apart() -> None:
    results = [Result(n, f"{n}.jpg", "succeeded", "rust", needs_review=n == 0) for n in range(3)]
    results += [Result(3, "3.jpg", "succeeded", "healthy", needs_review=False)]
    results += [Result(n, f"{n}.jpg", "failed", error_code="empty") for n in range(4, 34)]
    tally = Tally()

    assert list(tally.counting(results)) == results
    assert tally.rows() == [("rust", 3, 0.75), ("healthy", 1, 0.25)]
    assert (tally.needs_review, tally.failed, len(tally.failures)) == (1, 30, FAILURES_KEPT)
    assert tally.to_json()["labels"]["rust"] == {"images": 3, "share": 0.75}


def test_a_job_without_results_has_an_empty_summary() -> None:
    assert Tally().to_json() == {"labels": {}, "needs_review": 0, "not_classified": 0, "failures": []}
