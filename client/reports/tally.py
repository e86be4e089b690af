"""The summary of a job: images and share per label, what needs a look, and why images failed."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from client.resources import JsonObject, Result

FAILURES_KEPT = 20


@dataclass(slots=True)
class Tally:
    """Counts results as they pass. ``failures`` holds the first ``FAILURES_KEPT``."""

    labels: Counter[str] = field(default_factory=Counter)
    needs_review: int = 0
    failed: int = 0
    failures: list[Result] = field(default_factory=list)

    def counting(self, results: Iterable[Result]) -> Iterator[Result]:
        """Pass results on and count them."""
        for result in results:
            self._add(result)
            yield result

    @property
    def classified(self) -> int:
        """Images that have a label."""
        return self.labels.total()

    def share(self, label: str) -> float:
        """Part of the classified images that have this label, 0 to 1."""
        return self.labels[label] / self.classified if self.classified else 0.0

    def to_json(self) -> JsonObject:
        """As ``--json`` prints it."""
        return {
            "labels": {name: {"images": n, "share": round(self.share(name), 6)} for name, n in self._by_size()},
            "needs_review": self.needs_review,
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
            self.labels[result.label] += 1
            self.needs_review += bool(result.needs_review)
            return
        self.failed += 1
        if len(self.failures) < FAILURES_KEPT:
            self.failures.append(result)
