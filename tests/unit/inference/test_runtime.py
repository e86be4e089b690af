"""Which runtime runs a classifier here; choosing imports neither."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.contracts.manifest import INT8_FILE, MANIFEST_FILE, ONNX_FILE, Manifest, Runtime
from shared.contracts.outputs import ModelOutputs
from worker.inference import runtime as choice
from worker.inference.errors import ClassifierNotFound, ModelFileChanged
from worker.inference.manifest import verify_model_file
from worker.inference.runtime import choose_runtime, default_batch, gpu_is_visible

ManifestFactory = Callable[..., Manifest]


@pytest.fixture
def folder(tmp_path: Path, make_manifest: ManifestFactory) -> Callable[..., Path]:
    def make(onnx_sha256: str | None) -> Path:
        (tmp_path / MANIFEST_FILE).write_text(make_manifest(onnx_sha256=onnx_sha256).model_dump_json())
        return tmp_path

    return make


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")


@pytest.mark.usefixtures("no_gpu")
def test_without_a_gpu_an_exported_model_runs_on_onnx(folder: Callable[..., Path]) -> None:
    assert choose_runtime(folder("1" * 64), Runtime.AUTO) is Runtime.ONNX


@pytest.mark.usefixtures("no_gpu")
def test_without_an_exported_model_tensorflow_runs_it(folder: Callable[..., Path]) -> None:
    assert choose_runtime(folder(None), Runtime.AUTO) is Runtime.TENSORFLOW


@pytest.mark.usefixtures("no_gpu")
def test_bytes_are_chosen_where_the_processor_multiplies_them(
    tmp_path: Path, make_manifest: ManifestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_manifest(schema_version=2, outputs=ModelOutputs(), onnx_sha256="1" * 64, int8_sha256="2" * 64)
    (tmp_path / MANIFEST_FILE).write_text(made.model_dump_json())
    for instructions, chosen in (("avx512_vnni", Runtime.INT8), (None, Runtime.ONNX)):
        monkeypatch.setattr(choice, "byte_products", lambda instructions=instructions: instructions)
        assert choose_runtime(tmp_path, Runtime.AUTO) is chosen
        assert choose_runtime(tmp_path, Runtime.ONNX) is Runtime.ONNX
        assert choose_runtime(tmp_path, Runtime.INT8) is Runtime.INT8
    assert default_batch(tmp_path, Runtime.INT8) == default_batch(tmp_path, Runtime.ONNX)


def test_a_batch_suits_what_runs_it(folder: Callable[..., Path]) -> None:
    assert default_batch(folder("1" * 64), Runtime.ONNX) < default_batch(folder("1" * 64), Runtime.TENSORFLOW)


def test_what_was_asked_for_is_kept(folder: Callable[..., Path]) -> None:
    for asked in (Runtime.TENSORFLOW, Runtime.ONNX):
        assert choose_runtime(folder("1" * 64), asked) is asked


def test_a_gpu_is_seen_by_its_device_unless_it_is_hidden(tmp_path: Path) -> None:
    device = tmp_path / "nvidiactl"
    assert not gpu_is_visible({}, (device,))
    device.touch()
    assert gpu_is_visible({}, (device,))
    assert gpu_is_visible({"CUDA_VISIBLE_DEVICES": "0"}, (device,))
    assert not gpu_is_visible({"CUDA_VISIBLE_DEVICES": "-1"}, (device,))


def test_an_onnx_file_that_is_missing_or_another_is_refused(
    folder: Callable[..., Path], make_manifest: ManifestFactory
) -> None:
    with pytest.raises(ClassifierNotFound, match="training export"):
        verify_model_file(folder(None), make_manifest(), ONNX_FILE)
    with pytest.raises(ClassifierNotFound, match="--int8"):
        verify_model_file(folder(None), make_manifest(), INT8_FILE)
    made = folder("1" * 64)
    (made / ONNX_FILE).write_bytes(b"other")
    with pytest.raises(ModelFileChanged, match="manifest says 1111"):
        verify_model_file(made, make_manifest(onnx_sha256="1" * 64), ONNX_FILE)


@pytest.mark.slow
def test_a_worker_on_onnx_imports_no_tensorflow() -> None:
    code = (
        "import sys, worker.inference.onnx_classifier, worker.inference.runtime, worker.inference.pipeline, "
        "worker.serving, worker.loop.work; "
        "sys.exit(any(m.split('.')[0] in {'tensorflow', 'keras'} for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
