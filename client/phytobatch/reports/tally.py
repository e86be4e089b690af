"""The summary of a job: images and share per label, what needs a look, and why images failed."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from phytobatch.resources import JsonObject, Result

FAILURES_KEPT = 20
UNKNOWN_REASON = "low_confidence"  # The only one of servers that give none.


@dataclass(slots=True)
class Tally:
    """Counts results as they pass. ``failures`` holds the first ``FAILURES_KEPT``.

    ``labels`` counts the answers that stand by themselves; those that ask for a person are in ``review``, by reason: a
    disease that was named for a photograph of a tractor must not be in anybody's share.
    """

    labels: Counter[str] = field(default_factory=Counter)
    review: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    failures: list[Result] = field(default_factory=list)

    def counting(self, results: Iterable[Result]) -> Iterator[Result]:
        """Pass results on and count them."""
        for result in results:
            self._add(result)
            yield result

    def share(self, label: str) -> float:
        """Part of the answers that stand by themselves, 0 to 1, as the server's own summary counts it."""
        return self.labels[label] / self.labels.total() if self.labels else 0.0

    def to_json(self) -> JsonObject:
        """As ``--json`` prints it."""
        return {
            "labels": {name: {"images": n, "share": round(self.share(name), 6)} for name, n in self._by_size()},
            "needs_review": self.review.total(),
            "review": dict(self.review.most_common()),
            "not_classified": self.failed,
            "failures": [
                {"name": each.name, "status": each.status, "code": each.error_code, "detail": each.error_detail}
                for each in self.failures
            ],
        }

    def rows(self) -> list[tuple[str, int, float]]:
        """Label, images, share: the most frequent first."""
        return [(name, count, self.share(name)) for name, count in self._by_size()]

    def _by_size(self) -> list[tuple[str, int]]:
        return sorted(self.labels.items(), key=lambda item: (-item[1], item[0]))

    def _add(self, result: Result) -> None:
        if result.label is not None:
            if result.needs_review:
                self.review[result.review_reason or UNKNOWN_REASON] += 1
            else:
                self.labels[result.label] += 1
            return
        self.failed += 1
        if len(self.failures) < FAILURES_KEPT:
            self.failures.append(result)
