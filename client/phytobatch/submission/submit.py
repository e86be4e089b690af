"""A submission from end to end: from folders to a committed job."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from phytobatch.errors import ConfigurationError, InvalidRequest, NotFound, StateFileError
from phytobatch.files.discovery import FoundFile, Search, find_images
from phytobatch.geography.sidecars import Sidecar
from phytobatch.resources import ClassifierRef, Job, JsonObject, SidecarReport
from phytobatch.retry import RetryPolicy
from phytobatch.sdk import Phytobatch
from phytobatch.submission.ledger import Ledger
from phytobatch.submission.outage import Outage
from phytobatch.submission.outcome import Outcome, Skipped
from phytobatch.submission.pipeline import Pipeline
from phytobatch.submission.prepare import Preparer
from phytobatch.submission.register import Registrar
from phytobatch.submission.reporter import Reporter
from phytobatch.submission.run import Run
from phytobatch.submission.transfer import Transfer
from phytobatch.text import printable
from phytobatch.tiles.settings import TileSettings

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True)
class Options:
    """Settings of the job; the same for every run that continues a submission."""

    name: str | None = None
    external_id: str | None = None
    priority: str | None = None
    classifier: ClassifierRef | None = None
    metadata: JsonObject = field(default_factory=dict)
    webhook_url: str | None = None
    keep_duplicates: bool = False
    tiles: TileSettings = field(default_factory=TileSettings)
    explain: bool = False

    def to_json(self) -> JsonObject:
        """Return the options as the journal keeps them."""
        classifier = str(self.classifier) if self.classifier else None
        # Only where it is given, so that a journal of an older version is still one of these options.
        webhook = {"webhook_url": self.webhook_url} if self.webhook_url else {}
        return {
            "name": self.name,
            "external_id": self.external_id,
            "priority": self.priority,
            "classifier": classifier,
            "metadata": dict(self.metadata),
            "keep_duplicates": self.keep_duplicates,
            **webhook,
            **self.tiles.to_json(),
            **({"explain": True} if self.explain else {}),
        }


class Submission:
    """One set of files that becomes one job. ``with`` closes the journal afterwards."""

    def __init__(
        self,
        client: Phytobatch,
        state_file: Path,
        options: Options,
        reporter: Reporter,
        *,
        parallel: int = 4,
        patience: float = 600.0,
        fresh: bool = False,
    ) -> None:
        """Open the journal. ``patience``: seconds that a file may wait for the network.

        With ``fresh``, what an earlier run left is forgotten.

        Raises:
            StateFileError: the journal is in use or damaged.
        """
        self._client = client
        self._state_file = state_file
        self._options = options
        self._reporter = reporter
        self._parallel = parallel
        self._sidecars: Sequence[Sidecar] = ()
        self._run = Run(Ledger.open(state_file, fresh=fresh), reporter, Outage(reporter), patience)
        self._patient = client.with_retry(
            RetryPolicy(total_seconds=patience),
            on_retry=lambda error, _pause: self._run.outage.began(error, patience),
            sleep=self._run.sleep,
        )

    @property
    def outcome(self) -> Outcome:
        """The outcome of the files so far."""
        return self._run.outcome

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._run.ledger.close()

    @property
    def can_continue(self) -> bool:
        """True if the same command again would continue this job."""
        return self._run.ledger.job_id is not None

    def send(self, paths: Sequence[Path], *, sidecars: Sequence[Sidecar] = ()) -> Job:
        """Find, register and upload the images, and commit the job.

        Args:
            paths: folders and files.
            sidecars: sent when the images are there; whether they can be read is asked before.

        Raises:
            ConfigurationError: there is no image, or a sidecar cannot be read.
            StateFileError: an earlier run with other options is unfinished.
            PhytobatchError: any other; the journal allows to go on later.
        """
        self._sidecars = sidecars
        search = self._find(paths)
        job = self._continue(search) or self._create(search, paths)
        self.outcome.job = job
        if job.state == "draft":
            for sidecar in self._sidecars:
                self._send_sidecar(sidecar, search, job)
            self._upload(search, job)
            self.outcome.sidecars = [(str(one.path), self._send_sidecar(one, search, job)) for one in self._sidecars]
            job = self._patient.commit(job.id)
        else:
            self._remember_outcome()
        self._run.ledger.commit_acknowledged()
        self.outcome.job = job
        return job

    def finish(self) -> None:
        """Forget the submission: the same command again makes a new job."""
        self._run.ledger.remove()

    def _send_sidecar(self, sidecar: Sidecar, search: Search, job: Job) -> SidecarReport:
        """Send a sidecar; raise ConfigurationError if the file is the reason: who typed the command can repair it."""
        try:
            return self._patient.put_sidecar(job.id, sidecar.read(), folder=self._folder_of(sidecar, search))
        except InvalidRequest as error:
            raise ConfigurationError(f"{sidecar.path}: {error}") from error

    def _folder_of(self, sidecar: Sidecar, search: Search) -> str:
        """Return the folder before the names of its images, if two folders hold the same name."""
        for file in search.files:
            known = self._run.ledger.files.get(file.path)
            relative = printable(file.relative)
            if file.root == sidecar.folder and known is not None and known.name.endswith(relative):
                return known.name.removesuffix(relative)
        return ""

    def _find(self, paths: Sequence[Path]) -> Search:
        search = find_images(paths)
        self.outcome.found = len(search.files)
        self.outcome.other_files = search.other_files - sum(one.folder is not None for one in self._sidecars)
        for path, reason in search.unreadable:
            self.outcome.skipped.append(Skipped(path, reason))
            self._reporter.note(f"skipped {path}: {reason}")
        if not search.files and not self._run.ledger.uploaded:
            raise ConfigurationError(search.emptiness(paths))
        return search

    def _continue(self, search: Search) -> Job | None:
        """Return the job of an unfinished run; None if there is none, or if it cannot be used any more."""
        if self._run.ledger.is_new:
            return None
        if self._run.ledger.options != self._options.to_json():
            raise StateFileError(
                "An earlier submission of these files with other options is unfinished: "
                "give the same options to go on with it, or --new to start afresh."
            )
        if self._run.ledger.job_id is None:
            return None
        job = self._job_or_none(self._run.ledger.job_id)
        reason = self._reason_to_start_afresh(job, search)
        if job is None or reason is not None:
            self._reporter.note(f"The job of the unfinished submission {reason}; starting afresh.")
            self._start_afresh()
            return None
        self.outcome.continued = True
        self._reporter.note(f"Going on with job {job.id}: {len(self._run.ledger.uploaded):,} files are already there.")
        return job

    def _start_afresh(self) -> None:
        self._run.ledger.remove()
        self._run.ledger = Ledger.open(self._state_file)

    def _reason_to_start_afresh(self, job: Job | None, search: Search) -> str | None:
        if job is None:
            return "is gone"
        if job.state in {"expired", "canceled", "canceling"}:
            return f"is {job.state}"
        if job.state != "draft" and any(self._is_news(file) for file in search.files):
            # Nothing can be added to it any more, and to report the old job as if it were these files would be wrong.
            return "was committed before these files were as they are now"
        return None

    def _is_news(self, file: FoundFile) -> bool:
        known = self._run.ledger.files.get(file.path)
        if known is None:
            return file.path not in self._run.ledger.unreadable
        return (known.size, known.mtime_ns) != (file.size, file.mtime_ns)

    def _job_or_none(self, job_id: str) -> Job | None:
        try:
            return self._client.job(job_id)
        except NotFound:
            return None

    def _create(self, search: Search, paths: Sequence[Path]) -> Job:
        if self._run.ledger.is_new:
            folders = [str(path.absolute()) for path in paths]
            self._run.ledger.begin(
                options=self._options.to_json(),
                idempotency_key=str(uuid.uuid4()),
                about={"server": self._client.url, "folders": folders, "files": len(search.files)},
            )
        tiles = self._options.tiles
        try:
            job = self._client.create_job(
                name=self._options.name,
                external_id=self._options.external_id,
                priority=self._options.priority,
                classifier=self._options.classifier,
                metadata=self._options.metadata,
                webhook_url=self._options.webhook_url,
                idempotency_key=self._run.ledger.idempotency_key,
                tiling=tiles.tiling.to_json() if tiles.tiling else None,
                on_coarse=tiles.on_coarse,
                ground_resolution_mm=tiles.ground_resolution_mm,
                explain=self._options.explain,
            )
        except (ConfigurationError, NotFound, InvalidRequest):  # Nothing was made: the next run may have other options.
            self._run.ledger.remove()
            raise
        self._run.ledger.job_created(job.id)
        return job

    def _remember_outcome(self) -> None:
        """Restore the outcome of the run that committed the job, for the report and the exit code of this one."""
        ledger, outcome = self._run.ledger, self.outcome
        outcome.sent_before = len(ledger.uploaded)
        seen = {skipped.path for skipped in outcome.skipped}
        outcome.skipped += [
            Skipped(str(path), "left out by the earlier run") for path in ledger.unreadable if str(path) not in seen
        ]

    def _upload(self, search: Search, job: Job) -> None:
        sent_before = self._run.ledger.uploaded
        self.outcome.sent_before = len(sent_before)
        preparer = Preparer(self._run, keep_duplicates=self._options.keep_duplicates)
        registrar = Registrar(self._patient, job.id, self._run.ledger, preparer)
        transfer = Transfer(self._patient, registrar, preparer, self._run)
        already = {file.path for file in sent_before}
        waiting = [file for file in search.files if file.path not in already]
        self._reporter.begin(files=len(waiting), size=sum(file.size for file in waiting))
        try:
            pipeline = Pipeline(registrar, transfer, parallel=self._parallel, stop=self._run.stop)
            pipeline.run(preparer.prepare(search.files))
        finally:
            self._reporter.end()
