"""The answers of the API, as frozen dataclasses. ``raw`` keeps the answer as it came, with what is newer than this."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Generic, TypeVar

from phytobatch.checksum import sha256_of
from phytobatch.moments import parse_moment

JsonObject = dict[str, Any]
Cells = Sequence[Sequence[int]]
T = TypeVar("T")

TERMINAL_STATES = frozenset({"completed", "completed_with_errors", "failed", "canceled", "expired"})


def _time(value: str | None) -> datetime | None:
    return None if value is None else parse_moment(value)


def _names(kind: type[Counts | ImageSpec | Place | Work]) -> list[str]:
    return [each.name for each in fields(kind)]


@dataclass(frozen=True)
class Counts:
    """Images of a job by status; ``total`` is the sum of the other five."""

    total: int = 0
    pending: int = 0
    succeeded: int = 0
    failed: int = 0
    rejected: int = 0
    canceled: int = 0

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Counts:
        """Read ``counts`` of a job."""
        return cls(**{name: int(data.get(name, 0)) for name in _names(cls)})

    @property
    def done(self) -> int:
        """Images that will not change any more."""
        return self.total - self.pending


@dataclass(frozen=True)
class Work:
    """The work of a job with tiles; a photograph that is answered as a whole, or skipped, is one.

    Attributes:
        unit: ``tiles``.
        inspected: photographs whose size is known, or was looked for.
        total: None until the photographs are inspected.
        done: of them.
        per_second: None before the first results.
        estimated_seconds: for the rest, at the speed of this job or of the last one like it; None if that is unknown.
    """

    unit: str = "tiles"
    inspected: int = 0
    total: int | None = None
    done: int = 0
    per_second: float | None = None
    estimated_seconds: float | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Work:
        """Read ``work`` in the progress of a job."""
        return cls(**{name: data[name] for name in _names(cls) if name in data})


@dataclass(frozen=True)
class Progress:
    """The progress of a job, by the server's own measure.

    Attributes:
        percent: of its images, or of its tiles as soon as their number is known, 0 to 100.
        images_per_second: None before the first results.
        estimated_end: None unless the job runs and its speed is known.
        queue_position: 1 is next; None unless the job waits for its first worker.
        paused: the operator holds it back; it goes on by itself afterwards.
        work: of a job with tiles.
        seconds_left: until ``estimated_end``, counted by the server's clock when it answered.
    """

    percent: float = 0.0
    images_per_second: float | None = None
    estimated_end: datetime | None = None
    queue_position: int | None = None
    paused: bool = False
    work: Work | None = None
    seconds_left: float | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any], at: datetime | None = None) -> Progress:
        """Read ``progress`` of a job; ``at`` is when the server said so (default: now, by this machine's clock)."""
        end = _time(data.get("estimated_end"))
        left = None if end is None else max(0.0, (end - (at or datetime.now(timezone.utc))).total_seconds())
        return cls(
            percent=float(data.get("percent") or 0.0),
            images_per_second=data.get("images_per_second"),
            estimated_end=end,
            queue_position=data.get("queue_position"),
            paused=bool(data.get("paused")),
            work=Work.from_json(data["work"]) if data.get("work") else None,
            seconds_left=left,
        )


@dataclass(frozen=True)
class ClassifierRef:
    """A classifier by name and version; without a version the server takes its default."""

    name: str
    version: str | None = None

    @classmethod
    def parse(cls, text: str) -> ClassifierRef:
        """Parse ``NAME`` or ``NAME@VERSION``."""
        name, _, version = text.partition("@")
        return cls(name, version or None)

    def to_json(self) -> JsonObject:
        """Return it as requests carry it."""
        return {"name": self.name} | ({"version": self.version} if self.version else {})

    def __str__(self) -> str:
        return f"{self.name}@{self.version}" if self.version else self.name


@dataclass(frozen=True)
class Job:
    """A set of images on its way; see ``docs/http-api.md`` for the states. ``progress`` is there for a job alone."""

    id: str
    state: str
    counts: Counts
    name: str | None = None
    external_id: str | None = None
    priority: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    classifier: ClassifierRef | None = None
    error: object = None
    progress: Progress | None = None
    retries: int = 0
    webhook_url: str | None = None
    created_at: datetime | None = None
    committed_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    expires_at: datetime | None = None
    keep_days: int | None = None
    keep_originals_days: int | None = None
    originals_removed_at: datetime | None = None
    tiling: object = None
    on_coarse: str | None = None
    ground_resolution_mm: float | None = None
    explain: bool = False
    warnings: Sequence[Mapping[str, str]] = ()
    links: Mapping[str, str] = field(default_factory=dict, repr=False)
    raw: JsonObject = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_json(cls, data: JsonObject, at: datetime | None = None) -> Job:
        """Read the answer of ``/v1/jobs`` and ``/v1/jobs/{id}``; ``at`` is when the server made it."""
        classifier = data.get("classifier")
        progress = data.get("progress")
        times = ("created_at", "committed_at", "started_at", "finished_at", "expires_at", "originals_removed_at")
        return cls(
            id=data["id"],
            state=data["state"],
            counts=Counts.from_json(data.get("counts") or {}),
            name=data.get("name"),
            external_id=data.get("external_id"),
            priority=data.get("priority"),
            metadata=data.get("metadata") or {},
            classifier=ClassifierRef(classifier["name"], classifier.get("version")) if classifier else None,
            error=data.get("error"),
            progress=Progress.from_json(progress, at) if progress else None,
            retries=int(data.get("retries") or 0),
            webhook_url=data.get("webhook_url"),
            keep_days=data.get("keep_days"),
            keep_originals_days=data.get("keep_originals_days"),
            tiling=data.get("tiling"),
            on_coarse=data.get("on_coarse"),
            ground_resolution_mm=data.get("ground_resolution_mm"),
            explain=bool(data.get("explain")),
            warnings=tuple(data.get("warnings") or ()),
            links=data.get("links") or {},
            raw=data,
            **{name: _time(data.get(name)) for name in times},
        )

    @property
    def is_terminal(self) -> bool:
        """True if it is over; only a retry changes the state of such a job."""
        return self.state in TERMINAL_STATES

    def updated(self, data: Mapping[str, Any], at: datetime | None = None) -> Job:
        """Return the job after an event with this ``data``, which says less than a job does."""
        news = {name: data[name] for name in ("state", "counts", "retries", "error", "warnings") if name in data}
        return Job.from_json({**self.raw, **news, "progress": data.get("progress")}, at)


@dataclass(frozen=True)
class ImageSpec:
    """An image to register: ``size`` in bytes, ``sha256`` as 64 hexadecimal digits.

    ``latitude`` and ``longitude`` (WGS 84) come together; ``altitude`` and ``height_above_ground`` in metres,
    ``heading`` in degrees clockwise from true north, ``captured_at`` with its zone.
    """

    name: str
    size: int
    sha256: str | None = None
    metadata: Mapping[str, Any] | None = None
    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None
    heading: float | None = None
    captured_at: datetime | None = None
    height_above_ground: float | None = None

    @classmethod
    def of_file(cls, path: Path, name: str | None = None) -> ImageSpec:
        """Describe a file: reads it once for its checksum. ``name`` is the file's own name unless given."""
        with path.open("rb") as stream:
            digest = sha256_of(stream)
            return cls(name or path.name, stream.tell(), digest)

    def to_json(self) -> JsonObject:
        """Return it as ``POST /v1/jobs/{id}/images`` takes it; what is None is left out."""
        values = {name: getattr(self, name) for name in _names(type(self))}
        values["captured_at"] = self.captured_at.isoformat() if self.captured_at else None
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True)
class UploadTarget:
    """The address for the bytes of an image. ``headers`` must be sent exactly; the URL is a secret until it expires."""

    seq: int
    name: str
    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    expires_at: datetime | None = None

    @classmethod
    def from_json(cls, data: JsonObject) -> UploadTarget:
        """Read one entry of the answer of ``POST /v1/jobs/{id}/images``."""
        upload = data["upload"]
        return cls(
            seq=int(data["seq"]),
            name=data["name"],
            method=upload.get("method", "PUT"),
            url=upload["url"],
            headers=upload.get("headers") or {},
            expires_at=_time(upload.get("expires_at")),
        )


@dataclass(frozen=True)
class UnmatchedLine:
    """A line of a sidecar that speaks of no image, and why."""

    line: int
    name: str
    reason: str


@dataclass(frozen=True)
class SidecarReport:
    """The outcome of a sidecar. The lists hold the first ones; images without a position may have one inside."""

    lines: int
    matched: int
    unmatched: tuple[UnmatchedLine, ...]
    images: int
    images_without_position: int
    without_position: tuple[str, ...]
    raw: JsonObject = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_json(cls, data: JsonObject) -> SidecarReport:
        """Read the answer of ``PUT /v1/jobs/{id}/sidecar``."""
        return cls(
            lines=int(data["lines"]),
            matched=int(data["matched"]),
            unmatched=tuple(UnmatchedLine(each["line"], each["name"], each["reason"]) for each in data["unmatched"]),
            images=int(data["images"]),
            images_without_position=int(data["images_without_position"]),
            without_position=tuple(data["without_position"]),
            raw=data,
        )


@dataclass(frozen=True)
class Place:
    """The position and time of an image.

    Degrees (WGS 84), metres, degrees clockwise from true north. ``source`` says whose word the position is: ``client``,
    ``sidecar`` or ``file``; ``fault`` why there is none.
    """

    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None
    heading: float | None = None
    captured_at: datetime | None = None
    source: str | None = None
    fault: str | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Place:
        """Read ``place`` of a result."""
        known: JsonObject = {name: data.get(name) for name in _names(cls)}
        known["captured_at"] = _time(known["captured_at"])
        return cls(**known)


@dataclass(frozen=True)
class RankedClass:
    """One of the classes that an answer finds most likely; ``probability`` is 0 to 1."""

    label: str
    probability: float


@dataclass(frozen=True)
class Provenance:
    """Provenance of an answer: the checksum of the image's bytes, the runtime, and how pixels were prepared."""

    sha256: str
    runtime: str | None
    preprocessing: str


@dataclass(frozen=True)
class ResultCorrection:
    """A person's word about an image, beside the prediction."""

    label: str
    note: str | None
    corrected_by: str | None
    corrected_at: datetime | None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ResultCorrection:
        """Read ``correction`` of a result."""
        at = _time(data.get("corrected_at"))
        return cls(data["label"], data.get("note"), data.get("corrected_by"), at)


@dataclass(frozen=True)
class TileSums:
    """The tiles of an image: those that count by label, those that ask for a person and the skipped by the reason.

    ``counted`` is the sum of the first, ``total`` of all.
    """

    labels: Mapping[str, int]
    review: Mapping[str, int]
    skipped: Mapping[str, int]
    counted: int
    total: int

    @classmethod
    def of(cls, labels: Mapping[str, int], review: Mapping[str, int], skipped: Mapping[str, int]) -> TileSums:
        """Add up what was counted."""
        counted = sum(labels.values())
        return cls(labels, review, skipped, counted, counted + sum(review.values()) + sum(skipped.values()))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TileSums:
        """Read ``tiles`` of a result."""
        return cls(data["labels"], data["review"], data["skipped"], data["counted"], data["total"])

    def share(self, label: str) -> float:
        """Return the part of the tiles that count which carry a label, 0 to 1."""
        return self.labels.get(label, 0) / self.counted if self.counted else 0.0

    def diseased_share(self, healthy: Collection[str]) -> float:
        """Return the part of the tiles that count whose label is none of the ``healthy`` ones, 0 to 1."""
        return sum(self.share(label) for label in self.labels if label not in healthy)


@dataclass(frozen=True)
class Result:
    """The answer for one image. ``confidence`` and ``probabilities`` are 0 to 1; ``error_code`` is a fixed word.

    With ``tiles`` there are no ``probabilities``, and an image that has succeeded may have no ``label``: it is
    undecided, and not healthy; ``review_reason`` says why. ``crop`` is the id of the plant, where the classifier names
    plants and knows this one. ``explanation`` has rows of cells over the upright
    photograph, 0 to 255: what speaks for the label; None unless the job asks for it.
    """

    seq: int
    name: str
    status: str
    label: str | None = None
    confidence: float | None = None
    probabilities: Mapping[str, float] | None = None
    needs_review: bool | None = None
    review_reason: str | None = None
    crop: str | None = None
    tiles: TileSums | None = None
    explanation: Cells | None = None
    error_code: str | None = None
    error_detail: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    place: Place = field(default_factory=Place)
    label_names: Mapping[str, str] = field(default_factory=dict)
    top: tuple[RankedClass, ...] = ()
    classifier: ClassifierRef | None = None
    provenance: Provenance | None = None
    correction: ResultCorrection | None = None
    finished_at: datetime | None = None
    raw: JsonObject = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_json(cls, data: JsonObject) -> Result:
        """Read one entry of ``results``."""
        error = data.get("error") or {}
        classifier, provenance = data.get("classifier"), data.get("provenance")
        correction = data.get("correction")
        return cls(
            seq=int(data["seq"]),
            name=data["name"],
            status=data["status"],
            label=data.get("label"),
            confidence=data.get("confidence"),
            probabilities=data.get("probabilities"),
            needs_review=data.get("needs_review"),
            review_reason=data.get("review_reason"),
            crop=data.get("crop"),
            tiles=TileSums.from_json(data["tiles"]) if data.get("tiles") else None,
            explanation=data.get("explanation"),
            error_code=error.get("code"),
            error_detail=error.get("detail"),
            metadata=data.get("metadata") or {},
            place=Place.from_json(data.get("place") or {}),
            label_names=data.get("label_names") or {},
            top=tuple(RankedClass(one["label"], one["probability"]) for one in data.get("top") or ()),
            classifier=ClassifierRef(classifier["name"], classifier.get("version")) if classifier else None,
            provenance=Provenance(provenance["sha256"], provenance.get("runtime"), provenance["preprocessing"])
            if provenance
            else None,
            correction=ResultCorrection.from_json(correction) if correction else None,
            finished_at=_time(data.get("finished_at")),
            raw=data,
        )


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list. ``after`` is the cursor of its last row, to be passed as it is."""

    items: tuple[T, ...]
    after: str | None
    has_more: bool

    @staticmethod
    def of_jobs(data: JsonObject) -> Page[Job]:
        """Read the answer of ``GET /v1/jobs``."""
        jobs = tuple(Job.from_json(entry) for entry in data["jobs"])
        return Page(jobs, data.get("after"), bool(data.get("has_more")))


@dataclass(frozen=True)
class ResultPage(Page[Result]):
    """Results, and the job as it was when they were read."""

    state: str
    counts: Counts

    @classmethod
    def from_json(cls, data: JsonObject, *, previous: str | None) -> ResultPage:
        """Read the answer of ``GET /v1/jobs/{id}/results``; an empty page keeps the ``previous`` cursor."""
        return cls(
            items=tuple(Result.from_json(entry) for entry in data["results"]),
            after=data.get("after") or previous,
            has_more=bool(data.get("has_more")),
            state=data["job"]["state"],
            counts=Counts.from_json(data["job"].get("counts") or {}),
        )

    @property
    def is_last(self) -> bool:
        """True if no row will ever follow."""
        return not self.has_more and self.state in TERMINAL_STATES


@dataclass(frozen=True)
class ClassLabel:
    """A class of a classifier: the id that results use as label, its names by language, its code in EPPO's list."""

    id: str
    names: Mapping[str, str] = field(default_factory=dict)
    eppo_code: str | None = None


@dataclass(frozen=True)
class Crop:
    """A plant that a classifier has learned: its id in results, names by language, EPPO code, terms of its pictures."""

    id: str
    names: Mapping[str, str] = field(default_factory=dict)
    eppo_code: str | None = None
    terms: str = ""

    @classmethod
    def from_json(cls, data: JsonObject) -> Crop:
        """Read one of the ``crops`` of a classifier."""
        return cls(data["id"], data.get("names") or {}, data.get("eppo_code"), data.get("terms") or "")


@dataclass(frozen=True)
class LearnedTiling:
    """The tiles that a classifier has learned to read.

    Attributes:
        edge: of a tile, in pixels of the upright original; a job with ``auto`` takes it.
        edge_mm: what a tile must show, in millimetres; of photographs whose ground resolution is known, ``auto`` takes
            as many pixels as this is.
        overlap: the part of an edge that neighbours share.
        ground_resolution_mm: the finest and the coarsest pixel that it reads, in millimetres of plant or ground.
        report_from: the share of a disease among the tiles that count from which a photograph is called diseased.
        min_tiles: the number of tiles that must count before a photograph is called healthy.
        min_share: the part of its classified tiles that must count before a photograph is called anything.
        light: for each colour the range of its share in the mean of a tile, and the largest part of its pixels that
            may be violet; outside, a tile does not count.
    """

    edge: int
    overlap: float = 0.0
    ground_resolution_mm: tuple[float, float] | None = None
    report_from: float | None = None
    min_tiles: int | None = None
    min_share: float | None = None
    edge_mm: float | None = None
    light: Mapping[str, Any] | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LearnedTiling:
        """Read ``tiling`` of a classifier."""
        learned = data.get("ground_resolution_mm")
        return cls(
            edge=int(data["edge"]),
            overlap=float(data.get("overlap") or 0.0),
            ground_resolution_mm=(float(learned[0]), float(learned[1])) if learned else None,
            report_from=data.get("report_from"),
            min_tiles=data.get("min_tiles"),
            min_share=data.get("min_share"),
            edge_mm=data.get("edge_mm"),
            light=data.get("light"),
        )


@dataclass(frozen=True)
class Classifier:
    """A classifier that the server offers.

    Attributes:
        default: jobs that name no classifier get this one.
        classes: ids that results use as labels; ``class_labels`` has their names, too.
        sha256: of the files of the classifier.
        input_size: height and width in pixels.
        tiling: the tiles that it has learned to read; None where it has learned none.
        outputs: the names of what its model gives, by kind; None where that is probabilities and review outputs alone.
        crops: the plants that it has learned, with the terms of their pictures.
    """

    name: str
    version: str
    default: bool
    description: str
    classes: tuple[str, ...]
    review_threshold: float | None
    metrics: Mapping[str, float]
    class_labels: tuple[ClassLabel, ...] = ()
    sha256: str = ""
    input_size: tuple[int, ...] = ()
    tiling: LearnedTiling | None = None
    outputs: Mapping[str, Any] | None = None
    crops: tuple[Crop, ...] = ()
    raw: JsonObject = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_json(cls, data: JsonObject) -> Classifier:
        """Read one entry of ``GET /v1/classifiers``."""
        labels = tuple(
            ClassLabel(one["id"], one.get("names") or {}, one.get("eppo_code")) for one in data.get("classes") or ()
        )
        return cls(
            name=data["name"],
            version=data["version"],
            default=bool(data.get("default")),
            description=data.get("description") or "",
            classes=tuple(label.id for label in labels),
            review_threshold=data.get("review_threshold"),
            metrics=data.get("metrics") or {},
            class_labels=labels,
            sha256=data.get("sha256") or "",
            input_size=tuple(data.get("input_size") or ()),
            tiling=LearnedTiling.from_json(data["tiling"]) if data.get("tiling") else None,
            outputs=data.get("outputs"),
            crops=tuple(Crop.from_json(one) for one in data.get("crops") or ()),
            raw=data,
        )


@dataclass(frozen=True)
class DependencyCheck:
    """State of one dependency of the server; the server is ready without those that are not ``required``."""

    ok: bool
    required: bool
    milliseconds: float
    detail: str | None = None


@dataclass(frozen=True)
class Readiness:
    """The answer of ``GET /readyz``: can the server serve."""

    ready: bool
    checks: Mapping[str, DependencyCheck]
    raw: JsonObject = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_json(cls, data: JsonObject) -> Readiness:
        """Read the answer."""
        checks = {
            name: DependencyCheck(one["ok"], one["required"], one["milliseconds"], one.get("detail"))
            for name, one in data["checks"].items()
        }
        return cls(bool(data["ready"]), checks, data)


@dataclass(frozen=True)
class Prediction:
    """The answer of ``POST /predict``. ``confidence`` is in percent there, ``probabilities`` are 0 to 1.

    With tiles: ``tiles_map`` is what ``Phytobatch.tiles`` returns, as JSON; there are no ``probabilities``; without a
    ``predicted_class``, and so without a ``confidence``, the image is undecided. ``crop`` and ``explanation``
    are those of a ``Result``.
    """

    predicted_class: str | None
    confidence: float | None
    probabilities: Mapping[str, float]
    needs_review: bool
    job_id: str
    review_reason: str | None = None
    crop: str | None = None
    tiles: TileSums | None = None
    tiles_map: JsonObject | None = field(default=None, repr=False)
    explanation: Cells | None = None
    links: Mapping[str, str] = field(default_factory=dict, repr=False)
    raw: JsonObject = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_json(cls, data: JsonObject) -> Prediction:
        """Read the answer with status 200."""
        return cls(
            predicted_class=data["predicted_class"],
            confidence=data["confidence"],
            probabilities=data.get("probabilities") or {},
            needs_review=bool(data.get("needs_review")),
            review_reason=data.get("review_reason"),
            crop=data.get("crop"),
            tiles=TileSums.from_json(data["tiles"]) if data.get("tiles") else None,
            tiles_map=data.get("tiles_map"),
            explanation=data.get("explanation"),
            job_id=data["job_id"],
            links=data.get("links") or {},
            raw=data,
        )
