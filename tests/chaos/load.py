"""The users of a campaign: tenants who send jobs, cancel some, ask for single images, and export some jobs."""

import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from phytobatch import ImageSpec, Phytobatch
from phytobatch.errors import NetworkError, PhytobatchError, UploadError
from phytobatch.resources import UploadTarget
from phytobatch.retry import RetryPolicy
from tests.chaos.inputs import File, file

# As patient as the command line is.
PATIENCE_SECONDS = 120.0
LARGEST_JOB = 160
AGAIN_SECONDS = 0.3
CANCEL_PERCENT, PREDICT_PERCENT, EXPORT_PERCENT, TILED_PERCENT = 8, 25, 40, 30
# Sixteen tiles of a leaf.
TILING = {"edge": 64, "overlap": 0.0}
LARGEST_TILED_JOB = 16


@dataclass(slots=True)
class Sent:
    """A job that the API has accepted: its commit was answered. ``canceled``: somebody asked for its end.

    ``exports``: ids of the exports of it that were accepted, too. ``is_tiled``: its photographs are answered in tiles.
    """

    job_id: str
    tenant: str
    files: list[File]
    canceled: bool = False
    exports: list[str] = field(default_factory=list)
    is_tiled: bool = False


@dataclass(slots=True)
class Predicted:
    """One answer of ``/predict``."""

    picture: int
    label: str
    confidence: float


@dataclass(slots=True)
class Tenant:
    """One user. ``given_up``: calls that failed for longer than a patient client waits; nothing was promised then."""

    name: str
    url: str
    key: str
    leaves: list[bytes]
    folder: Path
    seed: int
    sent: list[Sent] = field(default_factory=list)
    predicted: list[Predicted] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)

    def run(self, stop: threading.Event) -> None:
        """Send jobs until ``stop``."""
        chance = random.Random(self.seed)  # noqa: S311  # dice, no secret
        with Phytobatch(self.url, self.key, retry=RetryPolicy(total_seconds=PATIENCE_SECONDS)) as api:
            while not stop.is_set():
                try:
                    self._turn(api, chance)
                except PhytobatchError as error:
                    self.given_up.append(f"{self.name}: {type(error).__name__}: {error}")
                stop.wait(chance.uniform(0.2, 3))

    def _turn(self, api: Phytobatch, chance: random.Random) -> None:
        if chance.randrange(100) < PREDICT_PERCENT:
            self._predict(api, chance)
            return
        sent = self._send(api, chance)
        self.sent.append(sent)
        if chance.randrange(100) < CANCEL_PERCENT:
            sent.canceled = True
            api.cancel(sent.job_id)
        if chance.randrange(100) < EXPORT_PERCENT:  # of a job that runs, is over, or is being canceled
            one = chance.choice(self.sent)
            one.exports.append(api.exports.create(one.job_id, "ndjson").id)

    def _send(self, api: Phytobatch, chance: random.Random) -> Sent:
        is_tiled = chance.randrange(100) < TILED_PERCENT
        images = chance.randint(1, LARGEST_TILED_JOB if is_tiled else LARGEST_JOB)
        files = [file(self.leaves, number, chance) for number in range(images)]
        job = api.create_job(
            name=f"{self.name} {len(self.sent)}",
            priority=chance.choice(["bulk", "interactive"]),
            tiling=TILING if is_tiled else None,
        )
        paths = {one.name: self._written(one) for one in files}
        specs = {one.name: ImageSpec.of_file(paths[one.name], one.name) for one in files}
        targets = api.add_images(job.id, list(specs.values()))
        for target, one in zip(targets, files, strict=True):
            if one.kind != "missing":
                upload(api, job.id, target, specs[one.name], paths[one.name])
        api.commit(job.id)
        return Sent(job.id, self.name, files, is_tiled=is_tiled)

    def _predict(self, api: Phytobatch, chance: random.Random) -> None:
        picture = chance.randrange(len(self.leaves))
        path = self.folder / "predict.jpg"
        path.write_bytes(self.leaves[picture] + chance.randbytes(4))
        said = api.predict(path)
        self.predicted.append(Predicted(picture, said.predicted_class or "", (said.confidence or 0.0) / 100))

    def _written(self, one: File) -> Path:
        path = self.folder / one.name
        path.write_bytes(one.content)
        return path


def upload(api: Phytobatch, job_id: str, target: UploadTarget, spec: ImageSpec, path: Path) -> None:
    """Send a file, with a fresh address after each failure, as the command line does; for as long as it is patient.

    Raises:
        NetworkError, UploadError: the object store stayed away.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            api.upload(target, path)
        except (NetworkError, UploadError):
            if time.monotonic() > deadline:
                raise
            time.sleep(AGAIN_SECONDS)
            (target,) = api.add_images(job_id, [spec])
        else:
            return
