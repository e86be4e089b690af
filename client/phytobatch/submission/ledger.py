"""The ledger: state of an unfinished submission, replayed from the journal's records."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from phytobatch.errors import StateFileError
from phytobatch.files.naming import free_name
from phytobatch.resources import ImageSpec, JsonObject
from phytobatch.submission.journal import Journal

VERSION = 1


@dataclass(frozen=True)
class LocalFile:
    """A file as it was when its checksum was made. ``seq`` is None until the server knows it."""

    path: Path
    name: str
    size: int
    mtime_ns: int
    sha256: str
    seq: int | None = None
    uploaded: bool = False

    @property
    def spec(self) -> ImageSpec:
        """The image as it is registered."""
        return ImageSpec(self.name, self.size, self.sha256)


class Ledger:
    """The state of a submission, in memory and in the journal. Thread-safe.

    Attributes:
        options: what the submission was started with; empty for a new one.
        job_id: None until the server made the job.
        committed: whether the commit was acknowledged.
        files: what was hashed, by path.
        unreadable: what is not in the job.
    """

    def __init__(self, journal: Journal) -> None:
        """Replay the records.

        Raises:
            StateFileError: they are of a version that this program does not know.
        """
        self._journal = journal
        self._lock = threading.Lock()
        self.options: JsonObject = {}
        self.idempotency_key = ""
        self.job_id: str | None = None
        self.committed = False
        self.files: dict[Path, LocalFile] = {}
        self.unreadable: set[Path] = set()
        self._names: set[str] = set()
        for record in journal.records:
            self._replay(record)

    @classmethod
    def open(cls, path: Path, *, fresh: bool = False) -> Ledger:
        """Open the ledger of a journal; ``fresh`` forgets its records, also when it is damaged.

        Raises:
            StateFileError: it is in use, damaged, or of another version.
        """
        journal = Journal(path, fresh=fresh)
        try:
            return cls(journal)
        except StateFileError:
            journal.close()
            raise

    @property
    def is_new(self) -> bool:
        """True while nothing was written."""
        return not self.idempotency_key

    @property
    def names(self) -> Mapping[Path, str]:
        """The names of the files so far."""
        return {path: file.name for path, file in self.files.items()}

    @property
    def uploaded(self) -> list[LocalFile]:
        """The files that need not be sent again."""
        return [file for file in self.files.values() if file.uploaded]

    def begin(self, *, options: JsonObject, idempotency_key: str, about: JsonObject) -> None:
        """Write the first record, before the first request. ``about`` is for people who read the file."""
        self._write("begin", durable=True, version=VERSION, options=options, key=idempotency_key, about=about)

    def job_created(self, job_id: str) -> None:
        """Record the job that the server created."""
        self._write("job", durable=True, id=job_id)

    def hashed(self, file: LocalFile) -> None:
        """Record the checksum and the name of a file, new or changed."""
        self._write(
            "file",
            path=str(file.path),
            name=file.name,
            size=file.size,
            mtime_ns=file.mtime_ns,
            sha256=file.sha256,
        )

    def left_out(self, path: Path) -> None:
        """Record a file that could not be read or was refused."""
        self._write("skipped", path=str(path))

    def registered(self, images: Iterable[tuple[LocalFile, int]]) -> list[LocalFile]:
        """Record files that the server has registered, and return them with their ``seq``."""
        records = [{"record": "registered", "path": str(file.path), "seq": seq} for file, seq in images]
        self._append(records)
        return [self.files[Path(str(record["path"]))] for record in records]

    def sent(self, file: LocalFile) -> None:
        """Record that the object store has all bytes of a file."""
        self._write("uploaded", path=str(file.path))

    def commit_acknowledged(self) -> None:
        """Record the commit: from here on the job is the server's."""
        self._write("committed", durable=True)

    def renamed(self, file: LocalFile) -> LocalFile:
        """Return the same file under a name that the job does not have yet."""
        with self._lock:
            name = free_name(file.name, self._names)
            self._names.add(name)
        other = replace(file, name=name, seq=None, uploaded=False)
        self.hashed(other)
        return other

    def close(self) -> None:
        """Keep the journal for another run; an empty one is removed."""
        if self.is_new:
            self._journal.remove()
        self._journal.close()

    def remove(self) -> None:
        """Remove the journal: the submission is done, or given up."""
        self._journal.remove()

    def _other_version(self) -> StateFileError:
        return StateFileError(f"{self._journal.path} is of another version of phytobatch; start afresh with --new.")

    def _write(self, kind: str, *, durable: bool = False, **values: object) -> None:
        self._append([{"record": kind, **values}], durable=durable)

    def _append(self, records: list[JsonObject], *, durable: bool = False) -> None:
        self._journal.append(records, durable=durable)
        with self._lock:
            for record in records:
                self._replay(record)

    def _replay(self, record: JsonObject) -> None:
        try:
            _REPLAY[record["record"]](self, record)
        except KeyError as error:
            raise self._other_version() from error

    def _replay_begin(self, record: JsonObject) -> None:
        if record["version"] != VERSION:
            raise self._other_version()
        self.options, self.idempotency_key = record["options"], record["key"]

    def _replay_job(self, record: JsonObject) -> None:
        self.job_id = record["id"]

    def _replay_file(self, record: JsonObject) -> None:
        path = Path(record["path"])
        before = self.files.get(path)
        file = LocalFile(path, record["name"], record["size"], record["mtime_ns"], record["sha256"])
        if before is not None and (before.name, before.sha256) == (file.name, file.sha256):
            file = replace(file, seq=before.seq, uploaded=before.uploaded)  # Only touched.
        self.files[path] = file
        self._names.add(file.name)

    def _replay_skipped(self, record: JsonObject) -> None:
        self.unreadable.add(Path(record["path"]))

    def _replay_registered(self, record: JsonObject) -> None:
        path = Path(record["path"])
        self.files[path] = replace(self.files[path], seq=record["seq"])

    def _replay_uploaded(self, record: JsonObject) -> None:
        path = Path(record["path"])
        self.files[path] = replace(self.files[path], uploaded=True)
        self.unreadable.discard(path)

    def _replay_committed(self, _record: JsonObject) -> None:
        self.committed = True


_REPLAY: dict[str, Callable[[Ledger, JsonObject], None]] = {
    "begin": Ledger._replay_begin,  # noqa: SLF001  # the table of the class above
    "job": Ledger._replay_job,  # noqa: SLF001  # as above
    "file": Ledger._replay_file,  # noqa: SLF001  # as above
    "skipped": Ledger._replay_skipped,  # noqa: SLF001  # as above
    "registered": Ledger._replay_registered,  # noqa: SLF001  # as above
    "uploaded": Ledger._replay_uploaded,  # noqa: SLF001  # as above
    "committed": Ledger._replay_committed,  # noqa: SLF001  # as above
}
