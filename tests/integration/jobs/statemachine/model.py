"""The life of a job, told a second time in plain Python: what the database must show after every step."""

import uuid
from collections import Counter
from dataclasses import dataclass, field

from shared.contracts.exports import ExportState
from shared.contracts.states import ChunkKind, ChunkState, ImageStatus, JobState
from shared.jobs.sweep import CrashPolicy

POLICY = CrashPolicy(isolate_after=2, fail_after=3, fail_export_after=2)
CHUNK_IMAGES = 2
OVER = {JobState.COMPLETED, JobState.COMPLETED_WITH_ERRORS, JobState.FAILED, JobState.CANCELED, JobState.EXPIRED}


@dataclass(slots=True)
class ModelChunk:
    """``expired``: its lease ran out, and no sweep saw it yet."""

    no: int
    kind: ChunkKind
    first: int = 1
    last: int = 0
    state: ChunkState = ChunkState.READY
    attempt: int = 0
    isolated: bool = False
    token: int | None = None
    expired: bool = False
    export: uuid.UUID | None = None


@dataclass(slots=True)
class ModelJob:
    """One job.

    ``answers``: the status of each image; ``endings``: how many terminal events there must be; ``exports``: the state
    of each.
    """

    id: uuid.UUID
    answers: dict[int, ImageStatus]
    state: JobState = JobState.DRAFT
    chunks: dict[int, ModelChunk] = field(default_factory=dict)
    exports: dict[uuid.UUID, ExportState] = field(default_factory=dict)
    endings: int = 0
    has_error: bool = False
    deleted: bool = False
    gone: bool = False

    @property
    def is_over(self) -> bool:
        return self.state in OVER

    @property
    def counts(self) -> Counter[ImageStatus]:
        return Counter(self.answers.values())

    @property
    def was_committed(self) -> bool:
        return any(chunk.kind is ChunkKind.VALIDATE for chunk in self.chunks.values())

    @property
    def open(self) -> list[ModelChunk]:
        """Chunks that the job waits for: no exports."""
        chunks = self.chunks.values()
        return [one for one in chunks if one.state is not ChunkState.DONE and one.kind is not ChunkKind.EXPORT]

    def ready(self, kind: ChunkKind) -> list[ModelChunk]:
        return [one for one in self.chunks.values() if one.state is ChunkState.READY and one.kind is kind]

    def commit(self) -> None:
        if self.state is JobState.DRAFT:
            self._add(ModelChunk(self._next_no(), ChunkKind.VALIDATE))
            self.state = JobState.VALIDATING

    def claim(self, no: int, token: int) -> ModelChunk:
        chunk = self.chunks[no]
        chunk.state, chunk.token, chunk.expired = ChunkState.RUNNING, token, False
        chunk.attempt += 1
        if self.state is JobState.QUEUED and chunk.kind is not ChunkKind.EXPORT:
            self.state = JobState.RUNNING
        return chunk

    def add_export(self, export_id: uuid.UUID) -> None:
        self.exports[export_id] = ExportState.QUEUED
        self._add(ModelChunk(self._next_no(), ChunkKind.EXPORT, export=export_id))

    def start_over(self, export_id: uuid.UUID) -> None:
        self.add_export(export_id)

    def remove_export(self, export_id: uuid.UUID) -> None:
        del self.exports[export_id]
        self.chunks = {no: one for no, one in self.chunks.items() if one.export != export_id}

    def end_export(self, no: int, state: ExportState) -> None:
        """End the one of a chunk; in a deleted job nothing more is said of it."""
        self._close(no)
        if not self.deleted:
            self._show(self.chunks[no], state)

    def begin_export(self, no: int) -> None:
        self._show(self.chunks[no], ExportState.RUNNING)

    def _show(self, chunk: ModelChunk, state: ExportState) -> None:
        assert chunk.export is not None
        self.exports[chunk.export] = state

    def finish(self, no: int, answers: dict[int, ImageStatus]) -> None:
        self._close(no)
        self._store(answers)
        self._finish_if_done()

    def finish_validation(self, no: int, rejected: dict[int, ImageStatus]) -> None:
        self._close(no)
        self._store(rejected)
        if self.state is JobState.VALIDATING:
            self._cut(self._pending(), CHUNK_IMAGES)
            self.state = JobState.QUEUED
        self._finish_if_done()

    def fail_as_a_whole(self, no: int) -> None:
        self._close(no)
        if self.state is JobState.CANCELING:
            self._finish_if_done()
        else:
            self._end(JobState.FAILED)
            self.has_error = True

    def release(self, no: int, answers: dict[int, ImageStatus]) -> None:
        chunk = self.chunks[no]
        chunk.attempt -= 1
        self._make_ready(chunk)
        if chunk.kind is ChunkKind.EXPORT:
            self._show(chunk, ExportState.QUEUED)
            return
        self._store(answers)
        self._stop_if_canceling()

    def sweep(self) -> None:
        if self.gone:  # With all its chunks: also the one whose lease ran out before its worker had ended it.
            return
        for chunk in [one for one in self.chunks.values() if one.state is ChunkState.RUNNING and one.expired]:
            self._take_back(chunk)

    def _take_back(self, chunk: ModelChunk) -> None:
        self._make_ready(chunk)
        if chunk.kind is ChunkKind.EXPORT:
            self._take_back_export(chunk)
        elif self.state is JobState.CANCELING:
            self._stop_if_canceling()
        elif chunk.kind is ChunkKind.VALIDATE and chunk.attempt >= POLICY.fail_after:
            self.fail_as_a_whole(chunk.no)
        elif chunk.kind is ChunkKind.CLASSIFY:
            self._contain_crash(chunk)

    def _take_back_export(self, chunk: ModelChunk) -> None:
        if self.deleted:
            del self.chunks[chunk.no]
        elif chunk.attempt >= POLICY.fail_export_after:
            self.end_export(chunk.no, ExportState.FAILED)
        else:
            self._show(chunk, ExportState.QUEUED)

    def _contain_crash(self, chunk: ModelChunk) -> None:
        if chunk.first == chunk.last and chunk.attempt >= POLICY.fail_after:
            self.finish(chunk.no, {chunk.first: ImageStatus.FAILED})
        elif not chunk.isolated and chunk.attempt >= POLICY.isolate_after:
            inside = [seq for seq in self._pending() if chunk.first <= seq <= chunk.last]
            self._cut(inside, 1, attempt=chunk.attempt, isolated=True)
            self.finish(chunk.no, {})

    def cancel(self) -> None:
        if self.state is JobState.DRAFT:
            self._end(JobState.CANCELED)
        elif not self.is_over:
            self.state = JobState.CANCELING
            self._stop_if_canceling()

    def expire(self) -> None:
        self._end(JobState.EXPIRED)

    @property
    def can_be_retried(self) -> bool:
        failed = ImageStatus.FAILED in self.answers.values()
        return self.state in {JobState.COMPLETED_WITH_ERRORS, JobState.FAILED} and (failed or self.has_error)

    def retry(self) -> None:
        if self.has_error:
            self.has_error = False
            self._add(ModelChunk(self._next_no(), ChunkKind.VALIDATE))
            self.state = JobState.VALIDATING
            return
        for seq, status in self.answers.items():
            if status is ImageStatus.FAILED:
                self.answers[seq] = ImageStatus.PENDING
        self._cut(self._pending(), CHUNK_IMAGES)
        self.state = JobState.QUEUED

    def delete(self) -> None:
        if self.state is JobState.DRAFT:
            self.cancel()
        for chunk in self.ready(ChunkKind.EXPORT):
            del self.chunks[chunk.no]
        self._add(ModelChunk(self._next_no(), ChunkKind.PURGE))
        self.deleted = True

    def _pending(self) -> list[int]:
        return [seq for seq, status in self.answers.items() if status is ImageStatus.PENDING]

    def _next_no(self) -> int:
        return max(self.chunks, default=-1) + 1

    def _add(self, chunk: ModelChunk) -> None:
        self.chunks[chunk.no] = chunk

    def _cut(self, images: list[int], size: int, *, attempt: int = 0, isolated: bool = False) -> None:
        for start in range(0, len(images), size):
            part = images[start : start + size]
            new = ModelChunk(self._next_no(), ChunkKind.CLASSIFY, part[0], part[-1], attempt=attempt, isolated=isolated)
            self._add(new)

    def _close(self, no: int) -> None:
        self.chunks[no].state = ChunkState.DONE

    def _make_ready(self, chunk: ModelChunk) -> None:
        chunk.state, chunk.token, chunk.expired = ChunkState.READY, None, False

    def _store(self, answers: dict[int, ImageStatus]) -> None:
        """The first answer of an image wins."""
        for seq, status in answers.items():
            if self.answers[seq] is ImageStatus.PENDING:
                self.answers[seq] = status

    def _stop_if_canceling(self) -> None:
        if self.state is JobState.CANCELING:
            for chunk in self.open:
                if chunk.state is ChunkState.READY:
                    chunk.state = ChunkState.DONE
            self._finish_if_done()

    def _finish_if_done(self) -> None:
        if self.open or self.is_over:
            return
        if self.state is JobState.CANCELING:
            self._end(JobState.CANCELED)
        elif self._pending():  # An answer was forgotten: the image matters more than the reason.
            self._cut(self._pending(), 1)
        else:
            found = self.counts
            if not found[ImageStatus.SUCCEEDED]:
                self._end(JobState.FAILED)
            elif found[ImageStatus.FAILED] + found[ImageStatus.REJECTED]:
                self._end(JobState.COMPLETED_WITH_ERRORS)
            else:
                self._end(JobState.COMPLETED)

    def _end(self, state: JobState) -> None:
        if state in {JobState.CANCELED, JobState.EXPIRED}:
            self._store(dict.fromkeys(self._pending(), ImageStatus.CANCELED))
        self.state = state
        self.endings += 1
