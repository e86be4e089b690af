"""The classifiers of this process: each is loaded and warmed before anything is claimed, with its threads."""

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from shared.classifiers import registry
from shared.classifiers.bundle import fetch
from shared.classifiers.named import parse_classifiers
from shared.db.session import Database
from shared.jobs.chunks import pool_of
from shared.processors import processors
from shared.settings import Settings
from shared.storage.store import ObjectStore
from worker.inference import jpeg
from worker.inference.budget import ByteBudget
from worker.inference.classifier import Classifier
from worker.inference.isolation import IsolatedPool, IsolationLimits
from worker.inference.limits import PictureLimits
from worker.inference.manifest import shipped_classifier_dir
from worker.inference.pipeline import Pipeline
from worker.inference.runtime import default_batch, open_classifier
from worker.inference.tiles.picture import decoded_bytes
from worker.inference.tiles.room import DecodedRoom
from worker.metrics import StageMetrics

log = structlog.get_logger()

REGISTER_PATIENCE_SECONDS = 60.0


def open_pipelines(settings: Settings, database: Database, store: ObjectStore) -> dict[str, Pipeline]:
    """Load, warm and register the classifiers of this worker; return their pipelines by the pool of their chunks.

    Raises:
        ClassifierError: a classifier cannot be used.
        ConfigurationError: the list of classifiers is not valid, or one is not published.
        Conflict: a name and version are registered with other weights.
        DatabaseUnavailable: Postgres stayed away for a minute.
        StoreUnavailable: a published classifier cannot be read, because the object store is away.
    """
    folders = _folders(settings, store)
    if not jpeg.is_exact():
        log.warning("jpeg_decoder_differs", advice="simplejpeg is not used, Pillow decodes: same results, more slowly")
    pipelines = {}
    shared = _shared(settings)
    for folder in folders:
        classifier = _load(settings, folder)
        register = partial(registry.register, manifest=classifier.manifest)
        registered = database.run(register, patience_seconds=REGISTER_PATIENCE_SECONDS)
        pipelines[pool_of(registered.id)] = _pipeline(settings, classifier, shared, share=len(folders))
    _warn_of_default(database, pipelines)
    return pipelines


def _warn_of_default(database: Database, pipelines: dict[str, Pipeline]) -> None:
    """Warn if jobs without a classifier need another worker: right after an upgrade there may be none."""
    with database.begin() as session:
        default = registry.resolve(session)
    if pool_of(default.id) not in pipelines:
        log.warning(
            "default_classifier_not_served_here",
            default=f"{default.name}@{default.version}",
            served=[f"{p.classifier.manifest.name}@{p.classifier.manifest.version}" for p in pipelines.values()],
        )


def _folders(settings: Settings, store: ObjectStore) -> list[Path]:
    named = parse_classifiers(settings.classifiers)
    if not named:
        return [settings.classifier_dir or shipped_classifier_dir()]
    cache = settings.classifier_cache or Path(tempfile.gettempdir()) / "phytobatch-classifiers"
    folders = []
    for name, version in named:
        folder = cache / name / version
        fetch(store, name, version, folder)
        folders.append(folder)
    return folders


def _load(settings: Settings, folder: Path) -> Classifier:
    # Each slot gets its share of the processors: ONNX Runtime's calls wait for their threads in a busy loop, on
    # processors that another slot could use.
    threads = max(1, processors() // settings.worker_slots)
    size = settings.batch_size or default_batch(folder, settings.runtime)
    classifier = open_classifier(folder, batch_size=size, runtime=settings.runtime, threads=threads)
    classifier.warm_up()
    manifest = classifier.manifest
    log.info(
        "classifier_loaded",
        classifier=manifest.name,
        version=manifest.version,
        sha256=manifest.sha256[:12],
        runtime=classifier.runtime,
        batch_size=classifier.batch_size,
    )
    return classifier


@dataclass(frozen=True, slots=True)
class _Shared:
    """Resources that the pipelines of this process share: memory for pixels, and processes for odd pictures.

    ``pixel_budget`` is for decoders at work, ``decoded_room`` for whole photographs while their tiles are cut.
    """

    limits: PictureLimits
    pixel_budget: ByteBudget
    decoded_room: DecodedRoom
    isolated: IsolatedPool


def _shared(settings: Settings) -> _Shared:
    limits = PictureLimits(
        pixels=settings.max_image_pixels,
        side=settings.max_image_side,
        scans=settings.max_image_scans,
        tiles=settings.max_tiles_per_image,
        thread_bytes=min(PictureLimits().thread_bytes, settings.pixel_bytes // 2),
    )
    isolation = IsolationLimits(
        processor_seconds=settings.isolated_processor_seconds,
        timeout_seconds=settings.isolated_seconds,
        memory_bytes=settings.isolated_memory_bytes,
        result_bytes=max(IsolationLimits().result_bytes, decoded_bytes(settings.max_image_pixels, 1)),
    )
    pool = IsolatedPool(processes=settings.isolated_processes, limits=isolation)
    return _Shared(limits, ByteBudget(settings.pixel_bytes), DecodedRoom.of(settings.decoded_bytes), pool)


def _pipeline(settings: Settings, classifier: Classifier, shared: _Shared, *, share: int) -> Pipeline:
    """Make a pipeline with its share of the bytes in flight; threads are cheap, so it has as many as the setting."""
    return Pipeline(
        classifier,
        batch_size=classifier.batch_size,
        download_threads=settings.download_threads,
        decode_threads=settings.decode_workers,
        bytes_in_flight=settings.bytes_in_flight // share,
        limits=shared.limits,
        pixel_budget=shared.pixel_budget,
        decoded_room=shared.decoded_room,
        isolated=shared.isolated,
        observer=StageMetrics(),
        camera_zone=settings.camera_time_zone,
    )
