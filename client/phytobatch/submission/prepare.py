"""From discovered files to files that can be registered: checksum, duplicates, state of an earlier run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from phytobatch.errors import FileUnreadable
from phytobatch.files.discovery import FoundFile
from phytobatch.files.hashing import in_order, sha256_of
from phytobatch.files.naming import assign_names
from phytobatch.submission.ledger import LocalFile
from phytobatch.submission.outcome import Duplicate, Skipped
from phytobatch.submission.run import Run

READS_OF_A_CHANGING_FILE = 3


def describe(path: Path, name: str, known: LocalFile | None = None) -> LocalFile:
    """Return size, time and checksum of a file. ``known`` is reused while size and time are the same.

    Raises:
        FileUnreadable: it vanished, cannot be read, or is being written all the time.
    """
    try:
        for _ in range(READS_OF_A_CHANGING_FILE):
            before = path.stat()
            if known is not None and (known.size, known.mtime_ns) == (before.st_size, before.st_mtime_ns):
                return known
            digest = sha256_of(path)
            after = path.stat()
            if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
                return LocalFile(path, name, after.st_size, after.st_mtime_ns, digest)
    except OSError as error:
        raise FileUnreadable(error.strerror or str(error)) from error
    raise FileUnreadable("it is being written by another program")


class Preparer:
    """A stage that hashes files in threads and decides about them one after another, in their order."""

    def __init__(self, run: Run, *, keep_duplicates: bool) -> None:
        self._ledger = run.ledger
        self._outcome = run.outcome
        self._reporter = run.reporter
        self._keep_duplicates = keep_duplicates
        # What was registered before stays first, wherever a new file with the same bytes stands in the order.
        self._first = {file.sha256: file.path for file in run.ledger.files.values() if file.seq is not None}

    def prepare(self, found: Iterable[FoundFile]) -> Iterator[LocalFile]:
        """Yield the files that must be registered and sent. All others are in the outcome afterwards."""
        files = list(found)
        names = assign_names(files, self._ledger.names)
        for file, result in in_order(lambda each: (each, self._describe(each, names[each.path])), files):
            if isinstance(result, FileUnreadable):
                self.skip(file.path, file.size, str(result))
            elif not self._is_duplicate(result):
                current = self._remember(result)
                if not current.uploaded:
                    yield current

    def skip(self, path: Path, size: int, reason: str) -> None:
        """Leave a file out, and report it."""
        self._ledger.left_out(path)
        self._outcome.skipped.append(Skipped(str(path), reason))
        self._reporter.note(f"skipped {path}: {reason}")
        self._reporter.file_passed(size)

    def _describe(self, found: FoundFile, name: str) -> LocalFile | FileUnreadable:
        try:
            return describe(found.path, name, self._ledger.files.get(found.path))
        except FileUnreadable as error:
            return error

    def _is_duplicate(self, file: LocalFile) -> bool:
        first = self._first.setdefault(file.sha256, file.path)
        if self._keep_duplicates or first == file.path:
            return False
        if self._ledger.files.get(file.path) != file:
            self._ledger.hashed(file)  # So that it is not read again by a run that goes on.
        self._outcome.duplicates.append(Duplicate(str(file.path), str(first)))
        self._reporter.note(f"skipped {file.path}: the same bytes as {first}")
        self._reporter.file_passed(file.size)
        return True

    def _remember(self, file: LocalFile) -> LocalFile:
        known = self._ledger.files.get(file.path)
        if file == known:
            return file
        if known is not None and known.sha256 == file.sha256:
            file = replace(file, name=known.name, seq=known.seq, uploaded=known.uploaded)
        elif known is not None and known.seq is not None:
            return self.changed(known, file)
        self._ledger.hashed(file)
        return self._ledger.files[file.path]

    def changed(self, before: LocalFile, now: LocalFile) -> LocalFile:
        """Rename a registered file whose bytes have changed: the server keeps a name for its first content."""
        renamed = self._ledger.renamed(replace(now, name=before.name))
        what = "its first content stays in the job" if before.uploaded else "the old entry will be reported as missing"
        self._reporter.note(
            f"{before.path} changed on disk since it was registered: sent again as {renamed.name}; {what}"
        )
        return renamed
