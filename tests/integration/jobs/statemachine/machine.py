"""Hypothesis draws what happens to a few jobs, and compares the database with the model after every step."""

import uuid
from collections.abc import Callable
from typing import ClassVar, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.contracts.exports import ExportState
from shared.contracts.states import ChunkKind, ImageStatus, JobState
from shared.errors import Conflict, LeaseLost
from shared.exports import claimed, queries
from shared.jobs import claims, exports, lifecycle
from shared.jobs.claims import Claim
from shared.jobs.results import NewResult
from shared.jobs.sweep import sweep
from tests.integration.jobs.factory import Jobs, sizes
from tests.integration.jobs.statemachine.model import CHUNK_IMAGES, POLICY, ModelJob
from tests.integration.jobs.statemachine.observed import assert_as_in_the_model

T = TypeVar("T")
WHICH = st.integers(min_value=0, max_value=59)  # divides by 2 to 6, so that no choice is rare
FOUND = st.lists(st.sampled_from([ImageStatus.SUCCEEDED, ImageStatus.SUCCEEDED, ImageStatus.FAILED]), min_size=6)
KINDS = st.sampled_from([ChunkKind.CLASSIFY, ChunkKind.CLASSIFY, ChunkKind.VALIDATE, ChunkKind.EXPORT, ChunkKind.PURGE])
MAX_JOBS = 3
MAX_EXPORTS = 2
PAST = "now() - interval '1 second'"


class LifeOfJobs(RuleBasedStateMachine):
    """``jobs`` is put here by the test.

    ``held``: claims under a good token; ``lost``: those that were taken away; ``begun``: tokens of exports in flight.
    """

    jobs: ClassVar[Jobs]
    tenant: ClassVar[uuid.UUID]

    def __init__(self) -> None:
        super().__init__()
        with self.jobs.database.begin() as session:
            session.execute(text("DELETE FROM jobs"))
        self.models: dict[uuid.UUID, ModelJob] = {}
        self.held: list[Claim] = []
        self.lost: list[Claim] = []
        self.closed: list[tuple[Claim, list[NewResult]]] = []
        self.begun: set[int] = set()

    # What clients do

    @precondition(lambda self: len(self.models) < MAX_JOBS)
    @rule(images=st.integers(min_value=1, max_value=6))
    def create(self, images: int) -> None:
        job_id = self.jobs.draft(images=images, tenant=self.tenant)
        self.models[job_id] = ModelJob(job_id, dict.fromkeys(range(1, images + 1), ImageStatus.PENDING))

    @precondition(lambda self: self.visible())
    @rule(which=WHICH)
    def commit(self, which: int) -> None:
        model = self.pick(self.visible(), which)
        refused = model.state is JobState.EXPIRED or (model.state is JobState.CANCELED and not model.was_committed)
        self.ask(
            model,
            model.commit,
            lambda: self.in_one(lambda session: lifecycle.commit(session, model.id, self.jobs.classifier.id)),
            refused=refused,
        )

    @precondition(lambda self: self.visible())
    @rule(which=WHICH)
    def cancel(self, which: int) -> None:
        model = self.pick(self.visible(), which)
        self.in_one(lambda session: lifecycle.cancel(session, model.id))
        model.cancel()

    @precondition(lambda self: any(model.is_over for model in self.visible()))
    @rule(which=WHICH)
    def retry(self, which: int) -> None:
        model = self.pick([one for one in self.visible() if one.is_over], which)
        self.ask(
            model,
            model.retry,
            lambda: self.in_one(lambda session: lifecycle.retry(session, model.id, sizes=sizes(CHUNK_IMAGES))),
            refused=not model.can_be_retried,
        )

    @precondition(lambda self: len(self.visible()) > 1)
    @rule(which=WHICH)
    def delete(self, which: int) -> None:
        model = self.pick(self.visible(), which)
        self.ask(
            model,
            model.delete,
            lambda: self.in_one(lambda session: lifecycle.delete(session, model.id)),
            refused=not (model.is_over or model.state is JobState.DRAFT),
        )

    @precondition(lambda self: any(len(model.exports) < MAX_EXPORTS for model in self.visible()))
    @rule(which=WHICH)
    def create_export(self, which: int) -> None:
        """Of any job, whatever its state."""
        model = self.pick([one for one in self.visible() if len(one.exports) < MAX_EXPORTS], which)
        model.add_export(self.jobs.export(model.id))

    @precondition(lambda self: any(model.exports for model in self.visible()))
    @rule(which=WHICH)
    def delete_export(self, which: int) -> None:
        model, export_id = self.pick(self.all_exports(), which)
        self.in_one(lambda session: queries.remove(session, self.tenant, export_id))
        model.remove_export(export_id)
        self.lost += [held for held in self.held if held.export_id == export_id]
        self.held = [held for held in self.held if held.export_id != export_id]

    @precondition(lambda self: any(model.exports for model in self.visible()))
    @rule(which=WHICH)
    def start_export_over(self, which: int) -> None:
        model, export_id = self.pick(self.all_exports(), which)
        self.ask(
            model,
            lambda: model.start_over(export_id),
            lambda: self.in_one(lambda session: exports.start_over(session, export_id)),
            refused=model.exports[export_id] is not ExportState.FAILED,
        )

    # What workers do

    @rule(kind=KINDS)
    def claim(self, kind: ChunkKind) -> None:
        ready = [(model.id, chunk.no) for model in self.models.values() for chunk in model.ready(kind)]
        taken = self.jobs.try_claim(pool=None if kind is ChunkKind.CLASSIFY else kind)
        assert (taken is None) == (not ready)
        if taken is not None:
            assert (taken.job_id, taken.no) in ready
            chunk = self.models[taken.job_id].claim(taken.no, taken.token)
            assert (taken.attempt, taken.isolated) == (chunk.attempt, chunk.isolated)
            assert chunk.kind is not ChunkKind.CLASSIFY or (taken.first_seq, taken.last_seq) == (
                chunk.first,
                chunk.last,
            )
            self.held.append(taken)

    @precondition(lambda self: self.held)
    @rule(which=WHICH, found=FOUND, forgotten=st.sampled_from([0, 0, 0, 1]))
    def finish(self, which: int, found: list[ImageStatus], forgotten: int) -> None:
        held = self.pick(self.held, which)
        self.held.remove(held)
        model = self.models[held.job_id]
        if held.kind is ChunkKind.PURGE:
            self.in_one(lambda session: claims.finish_purge(session, held))
            model.gone = True
            self.lost += [one for one in self.held if one.job_id == model.id]
            self.held = [one for one in self.held if one.job_id != model.id]
            return
        if held.kind is ChunkKind.EXPORT:
            self.finish_export(held, fits=not forgotten)
            return
        if held.kind is ChunkKind.VALIDATE:
            self.finish_validation(held, found, as_a_whole=bool(forgotten))
            return
        answers = results_of(range(held.first_seq, held.last_seq + 1 - forgotten), found)
        self.in_one(lambda session: claims.finish(session, held, answers))
        model.finish(held.no, statuses(answers))
        self.closed.append((held, answers))

    def finish_export(self, held: Claim, *, fits: bool) -> None:
        """Its file is there, or its format cannot hold it; in a deleted job it may neither begin nor end."""
        model = self.models[held.job_id]
        if held.token not in self.begun:
            what = self.in_one(lambda session: claimed.begin(session, held))
            assert (what is None) == model.deleted
            if what is None:
                model.end_export(held.no, ExportState.COMPLETED)
                return
            model.begin_export(held.no)
        if fits and model.deleted:
            with pytest.raises(LeaseLost):
                self.in_one(lambda session: made(session, held))
            return
        self.in_one(lambda session: made(session, held) if fits else claimed.fail(session, held, "no", keep_hours=1))
        model.end_export(held.no, ExportState.COMPLETED if fits else ExportState.FAILED)

    @precondition(lambda self: any(held.kind is ChunkKind.EXPORT for held in self.held))
    @rule(which=WHICH)
    def begin_export(self, which: int) -> None:
        held = self.pick([one for one in self.held if one.kind is ChunkKind.EXPORT], which)
        model = self.models[held.job_id]
        if not model.deleted:
            self.in_one(lambda session: claimed.begin(session, held))
            model.begin_export(held.no)
            self.begun.add(held.token)

    def finish_validation(self, held: Claim, found: list[ImageStatus], *, as_a_whole: bool) -> None:
        """What was drawn as failed is refused; or the job fails as a whole."""
        model = self.models[held.job_id]
        if as_a_whole:
            self.in_one(lambda session: claims.fail_job(session, held, code="test", detail="for the test"))
            model.fail_as_a_whole(held.no)
            return
        bad = [seq for seq, status in zip(model.answers, found, strict=False) if status is ImageStatus.FAILED]
        rejected = results_of(bad, [ImageStatus.REJECTED] * len(bad))
        self.in_one(lambda session: claims.finish_validation(session, held, rejected, sizes=sizes(CHUNK_IMAGES)))
        model.finish_validation(held.no, statuses(rejected))

    @precondition(lambda self: self.held)
    @rule(which=WHICH, found=FOUND, done=st.integers(min_value=0, max_value=CHUNK_IMAGES))
    def hand_back(self, which: int, found: list[ImageStatus], done: int) -> None:
        held = self.pick(self.held, which)
        self.held.remove(held)
        finished = range(held.first_seq, held.last_seq + 1)[:done] if held.kind is ChunkKind.CLASSIFY else range(0)
        answers = results_of(finished, found)
        self.in_one(lambda session: claims.release(session, held, answers))
        self.models[held.job_id].release(held.no, statuses(answers))
        self.lost.append(held)

    @precondition(lambda self: self.held)
    @rule(which=WHICH)
    def renew(self, which: int) -> None:
        held = self.pick(self.held, which)
        model = self.models[held.job_id]
        if model.deleted and held.kind is ChunkKind.EXPORT:
            with pytest.raises(LeaseLost):
                self.in_one(lambda session: claims.renew(session, held, lease_seconds=60))
            return
        self.in_one(lambda session: claims.renew(session, held, lease_seconds=60))
        model.chunks[held.no].expired = False

    # What goes wrong

    @precondition(lambda self: self.held)
    @rule(which=WHICH, by_itself=st.booleans())
    def lease_runs_out(self, which: int, by_itself: bool) -> None:  # noqa: FBT001  # drawn
        held = self.pick(self.held, which)
        if by_itself:
            self.in_one(lambda session: claims.abandon(session, held))
        else:
            statement = text(f"UPDATE chunks SET lease_until = {PAST} WHERE job_id = :job AND no = :no")  # noqa: S608
            self.in_one(lambda session: session.execute(statement, {"job": held.job_id, "no": held.no}))
        self.models[held.job_id].chunks[held.no].expired = True

    @rule()
    def sweep(self) -> None:
        assert sweep(self.jobs.database, POLICY).exports == 0, "every export that is to be made has its chunk"
        for held in list(self.held):
            if self.models[held.job_id].chunks[held.no].expired:
                self.held.remove(held)
                self.lost.append(held)
        for model in self.models.values():
            model.sweep()

    @precondition(lambda self: any(model.state is JobState.DRAFT for model in self.models.values()))
    @rule(which=WHICH)
    def draft_grows_old(self, which: int) -> None:
        model = self.pick([one for one in self.models.values() if one.state is JobState.DRAFT], which)
        statement = text(f"UPDATE jobs SET expires_at = {PAST} WHERE id = :job")  # noqa: S608
        self.in_one(lambda session: session.execute(statement, {"job": model.id}))
        assert self.in_one(lifecycle.expire_drafts) == 1
        model.expire()

    @precondition(lambda self: self.lost)
    @rule(which=WHICH, found=FOUND)
    def late_worker_writes(self, which: int, found: list[ImageStatus]) -> None:
        """Whoever lost its lease is told so, whatever it tries, and nothing changes."""
        held = self.pick(self.lost, which)
        if self.models[held.job_id].gone:
            return
        for attempt in late_writes(held, results_of(range(held.first_seq, held.last_seq + 1), found)):
            with pytest.raises(LeaseLost):
                self.in_one(attempt)

    @precondition(lambda self: self.closed)
    @rule(which=WHICH)
    def commit_is_repeated(self, which: int) -> None:
        """The connection broke in the commit, and the worker runs the transaction again."""
        held, answers = self.pick(self.closed, which)
        if not self.models[held.job_id].gone:
            self.in_one(lambda session: claims.finish(session, held, answers))

    @invariant()
    def the_database_is_as_in_the_model(self) -> None:
        with self.jobs.database.begin() as session:
            for model in self.models.values():
                assert_as_in_the_model(session, model)

    def teardown(self) -> None:
        """Whatever happened, everything that was committed can still be brought to its end."""
        for _ in range(200):
            for kind in (ChunkKind.VALIDATE, ChunkKind.CLASSIFY, ChunkKind.EXPORT, ChunkKind.PURGE):
                self.claim(kind)
            if not self.held:
                break
            self.finish(0, [ImageStatus.SUCCEEDED] * 6, 0)
        self.the_database_is_as_in_the_model()
        assert all(model.is_over or model.state is JobState.DRAFT for model in self.models.values())
        ended = {ExportState.COMPLETED, ExportState.FAILED}
        assert all(ended.issuperset(model.exports.values()) for model in self.visible())

    # How the rules do it

    def visible(self) -> list[ModelJob]:
        """Return the jobs that the API still shows."""
        return [model for model in self.models.values() if not model.deleted]

    def all_exports(self) -> list[tuple[ModelJob, uuid.UUID]]:
        """The exports of what the API still shows."""
        return [(model, export_id) for model in self.visible() for export_id in model.exports]

    def pick(self, choices: list[T], which: int) -> T:
        return choices[which % len(choices)]

    def in_one(self, work: Callable[..., T]) -> T:
        """Run it in one transaction."""
        with self.jobs.database.begin() as session:
            return work(session)

    def ask(self, model: ModelJob, change: Callable[[], None], call: Callable[[], object], *, refused: bool) -> None:
        """Call it; it changes the model, or is refused and changes nothing."""
        if refused:
            with pytest.raises(Conflict):
                call()
            return
        call()
        change()
        self.lost += [held for held in self.held if self.models[held.job_id] is model and not self.holds(held)]
        self.held = [held for held in self.held if self.holds(held)]

    def holds(self, held: Claim) -> bool:
        """Return True if its token is still the one of the chunk."""
        return self.models[held.job_id].chunks[held.no].token == held.token


def results_of(images: range | list[int], found: list[ImageStatus]) -> list[NewResult]:
    """An answer for each of the images."""
    return [NewResult(seq=seq, status=status) for seq, status in zip(images, found, strict=False)]


def statuses(answers: list[NewResult]) -> dict[int, ImageStatus]:
    """The same for the model."""
    return {one.seq: one.status for one in answers}


def made(session: Session, held: Claim) -> None:
    """The file of an export is there."""
    claimed.finish(session, held, object_key="file", size=1, rows=1, keep_hours=1)


def late_writes(held: Claim, answers: list[NewResult]) -> list[Callable[..., object]]:
    """Everything that a worker may say about a chunk."""
    return [
        lambda session: claims.finish(session, held, answers),
        lambda session: claims.release(session, held, answers),
        lambda session: claims.finish_validation(session, held, answers, sizes=sizes(1)),
        lambda session: claims.fail_job(session, held, code="late", detail="late"),
        lambda session: claims.finish_purge(session, held),
        lambda session: claims.renew(session, held, lease_seconds=60),
        lambda session: claims.read_state(session, held),
        *late_writes_of_exports(held),
    ]


def late_writes_of_exports(held: Claim) -> list[Callable[..., object]]:
    """Everything that the worker of an export may say besides."""
    if held.kind is not ChunkKind.EXPORT:
        return []
    return [
        lambda session: claimed.begin(session, held),
        lambda session: made(session, held),
        lambda session: claimed.fail(session, held, "late", keep_hours=1),
    ]
