"""What a worker serves: the shipped classifier, or published ones; each is registered under the pool of its work."""

import io
import json
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest
import structlog
from PIL import Image

from shared.classifiers import registry
from shared.classifiers.bundle import publish
from shared.contracts.manifest import MANIFEST_FILE, Runtime
from shared.contracts.states import ImageErrorCode
from shared.db.session import Database
from shared.errors import ConfigurationError, Conflict
from shared.jobs.chunks import pool_of
from shared.settings import Settings
from shared.storage.s3 import S3Store
from worker.inference.manifest import read_manifest, shipped_classifier_dir
from worker.inference.pipeline import Item, Odd, Pipeline
from worker.serving import open_pipelines


@pytest.fixture
def store(settings: Settings) -> S3Store:
    return S3Store(settings)


@pytest.fixture
def opened() -> ExitStack:
    return ExitStack()


def served(pipelines: dict[str, Pipeline], opened: ExitStack) -> set[str]:
    for pipeline in pipelines.values():
        opened.enter_context(pipeline)
    with opened:
        return {f"{p.classifier.manifest.name}@{p.classifier.manifest.version}" for p in pipelines.values()}


def renamed(folder: Path, version: str, **changes: object) -> Path:
    copy = Path(shutil.copytree(shipped_classifier_dir(), folder / version))
    manifest = read_manifest(copy).model_copy(update={"name": "serving", "version": version, **changes})
    (copy / MANIFEST_FILE).write_text(json.dumps(manifest.model_dump(mode="json")), encoding="utf-8")
    return copy


def test_the_shipped_classifier_is_served_unless_told_otherwise(
    settings: Settings, database: Database, store: S3Store, opened: ExitStack
) -> None:
    with structlog.testing.capture_logs() as logs:
        pipelines = open_pipelines(settings, database, store)
    manifest = read_manifest(shipped_classifier_dir())
    assert served(pipelines, opened) == {f"{manifest.name}@{manifest.version}"}
    with database.begin() as session:
        known = registry.resolve(session, manifest.name, manifest.version)
    assert set(pipelines) == {pool_of(known.id)}
    # The template of these databases has another default.
    (warning,) = [line for line in logs if line["event"] == "default_classifier_not_served_here"]
    assert warning["default"] == "leaf-test@1"


def test_published_classifiers_are_served_side_by_side(
    settings: Settings, database: Database, store: S3Store, opened: ExitStack, tmp_path: Path
) -> None:
    for version in ("1", "2"):
        publish(store, renamed(tmp_path, version))
    chosen = settings.model_copy(
        update={"classifiers": "serving@1,serving@2", "classifier_cache": tmp_path / "cache", "bytes_in_flight": 2**25}
    )
    pipelines = open_pipelines(chosen, database, store)
    assert {pipeline.bytes_limit for pipeline in pipelines.values()} == {2**24}
    assert served(pipelines, opened) == {"serving@1", "serving@2"}
    assert (tmp_path / "cache" / "serving" / "2" / MANIFEST_FILE).exists()


def progressive(width: int, height: int) -> bytes:
    """A JPEG in ten scans."""
    file = io.BytesIO()
    Image.effect_noise((width, height), 80).convert("RGB").save(file, "JPEG", progressive=True)
    assert file.getvalue().count(b"\xff\xda") == 10
    return file.getvalue()


@pytest.mark.parametrize(
    ("limits", "codes"),
    [
        ({"max_image_pixels": 50 * 40}, [None, ImageErrorCode.TOO_MANY_PIXELS]),
        ({"max_image_scans": 10}, [None, None]),
        ({"max_image_side": 50}, [None, ImageErrorCode.TOO_MANY_PIXELS]),
        ({"max_image_scans": 9}, [ImageErrorCode.TOO_COSTLY, ImageErrorCode.TOO_COSTLY]),
    ],
)
def test_a_picture_beyond_what_the_settings_allow_is_refused(  # fixtures
    settings: Settings,
    database: Database,
    store: S3Store,
    opened: ExitStack,
    limits: dict[str, int],
    codes: list[ImageErrorCode | None],
) -> None:
    (pipeline,) = open_pipelines(settings.model_copy(update=limits), database, store).values()
    opened.enter_context(pipeline)
    pictures = [progressive(width, 40) for width in (50, 51)]
    items = [Item(seq, f"{seq}.jpg", len(data)) for seq, data in enumerate(pictures)]
    with opened:
        found = {one.seq: one.error and one.error.code for one in pipeline.run(items, lambda item: pictures[item.seq])}
    assert found == dict(enumerate(codes))


@pytest.mark.parametrize(("batch_size", "expected"), [(0, 8), (5, 5)])
def test_the_size_of_a_batch_is_the_setting_or_what_suits_the_runtime(  # fixtures
    settings: Settings, database: Database, store: S3Store, opened: ExitStack, batch_size: int, expected: int
) -> None:
    chosen = settings.model_copy(update={"batch_size": batch_size, "runtime": Runtime.ONNX})
    (pipeline,) = open_pipelines(chosen, database, store).values()
    opened.enter_context(pipeline)
    with opened:
        assert pipeline.batch_size == expected


@pytest.mark.parametrize(
    ("setting", "value", "codes"),
    [
        ("isolated_seconds", 60.0, {None}),
        ("isolated_seconds", 0.001, {ImageErrorCode.TOO_COSTLY}),
        ("isolated_processor_seconds", 60.0, {None}),
        # 240 MB of pixels are more.
        ("isolated_memory_bytes", 64 * 1024 * 1024, {ImageErrorCode.TOO_COSTLY, ImageErrorCode.WORKER_CRASHED}),
    ],
)
def test_an_isolated_image_has_the_time_and_the_memory_of_the_settings(  # fixtures
    settings: Settings,
    database: Database,
    store: S3Store,
    opened: ExitStack,
    setting: str,
    value: float,
    codes: set[ImageErrorCode | None],
) -> None:
    (pipeline,) = open_pipelines(settings.model_copy(update={setting: value}), database, store).values()
    opened.enter_context(pipeline)
    file = io.BytesIO()
    Image.new("RGB", (10_000, 6_000)).save(file, "PNG", compress_level=1)
    with opened:
        (one,) = pipeline.run([Item(0, "0.png", None)], lambda _: file.getvalue(), odd=Odd.ISOLATE_ALL)
    assert (one.error and one.error.code) in codes


def test_other_weights_under_a_registered_version_are_refused(
    settings: Settings, database: Database, store: S3Store, tmp_path: Path
) -> None:
    copy = renamed(tmp_path, "1")
    with database.begin() as session:
        registry.register(session, read_manifest(copy).model_copy(update={"sha256": "0" * 64}))
    with pytest.raises(Conflict, match="other weights"):
        open_pipelines(settings.model_copy(update={"classifier_dir": copy}), database, store)


def test_what_is_not_published_is_said(settings: Settings, database: Database, store: S3Store, tmp_path: Path) -> None:
    chosen = settings.model_copy(update={"classifiers": "serving@77", "classifier_cache": tmp_path})
    with pytest.raises(ConfigurationError, match="publish-classifier"):
        open_pipelines(chosen, database, store)
