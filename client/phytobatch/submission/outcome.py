"""Outcome of the files of a submission."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from phytobatch.resources import Job, JsonObject, SidecarReport


@dataclass(frozen=True)
class Skipped:
    """A file that is not in the job, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Duplicate:
    """A file with the same bytes as another one."""

    path: str
    same_as: str


@dataclass
class Outcome:
    """Counts and lists, filled by several threads through its methods; read when they have ended."""

    job: Job | None = None
    continued: bool = False
    found: int = 0
    other_files: int = 0
    sent: int = 0
    sent_before: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    duplicates: list[Duplicate] = field(default_factory=list)
    sidecars: list[tuple[str, SidecarReport]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def count_sent(self) -> None:
        """Count one more file that is in the object store."""
        with self._lock:
            self.sent += 1

    def to_json(self) -> JsonObject:
        """Return the document that ``submit --json`` prints."""
        return {
            "job": self.job.raw if self.job else None,
            "continued": self.continued,
            "files": {
                "found": self.found,
                "sent": self.sent,
                "sent_before": self.sent_before,
                "not_images": self.other_files,
                "duplicates": [{"path": each.path, "same_as": each.same_as} for each in self.duplicates],
                "skipped": [{"path": each.path, "reason": each.reason} for each in self.skipped],
            },
            "sidecars": [{"path": path, **report.raw} for path, report in self.sidecars],
        }
