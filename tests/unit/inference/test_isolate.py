"""The child process, really started, really crashed."""

import os
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shared.contracts.manifest import Preprocessing
from shared.contracts.states import ImageErrorCode, ImageStatus
from worker.inference.classifier import Classifier
from worker.inference.errors import ImageError
from worker.inference.isolate import IsolatedPreprocessor, PreprocessFunction, scrubbed_environment
from worker.inference.pipeline import Item, Pipeline
from worker.inference.preprocess import preprocess

Encode = Callable[..., bytes]
SIZE = (8, 12)
# What a decoder with a bug does with certain bytes. The child imports this file by its name.
FRAGILE = """
import ctypes, os, signal, sys, time
from worker.inference.preprocess import preprocess

def fragile(data, preprocessing, input_size, *, limits):
    if data.endswith(b"SEGFAULT"):
        ctypes.string_at(0)
    if data.endswith(b"KILL"):
        os.kill(os.getpid(), signal.SIGKILL)
    if data.endswith(b"HANG"):
        time.sleep(600)
    if data.endswith(b"MEMORY"):
        bytearray(64 * 1024**3)
    if data.endswith(b"RAISE"):
        raise RuntimeError("a bug")
    if data.endswith(b"PRINT"):
        print("a library that prints", flush=True)
    if data.endswith(b"SECRET"):
        assert "PHYTOBATCH_S3_SECRET_ACCESS_KEY" not in os.environ
    if data.endswith(b"LIMITS"):
        import resource
        assert resource.getrlimit(resource.RLIMIT_AS)[0] == 2 * 1024**3
        assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
        if sys.platform == "linux":
            assert open("/proc/self/oom_score_adj").read().strip() == "1000"
    if data.endswith(b"TENSORFLOW"):
        assert not {"tensorflow", "keras"} & set(sys.modules)
    return preprocess(data, preprocessing, input_size, limits=limits)
"""


@pytest.fixture
def fragile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PreprocessFunction]:
    (tmp_path / "fragile_decoder.py").write_text(FRAGILE)
    monkeypatch.syspath_prepend(tmp_path)
    function: PreprocessFunction = import_module("fragile_decoder").fragile
    yield function
    del sys.modules["fragile_decoder"]


@pytest.fixture
def isolated(fragile: PreprocessFunction) -> Iterator[IsolatedPreprocessor]:
    made = IsolatedPreprocessor(Preprocessing(), SIZE, function=fragile)
    yield made
    made.close()


@pytest.fixture
def data(photo: Image.Image, encode: Encode) -> bytes:
    return encode(photo)


def child_of(isolated: IsolatedPreprocessor) -> int:
    assert isolated._child is not None
    return isolated._child.pid


def test_the_child_gives_the_same_pixels(isolated: IsolatedPreprocessor, data: bytes) -> None:
    pixels = isolated.preprocess(data)
    assert pixels.dtype == np.float32
    np.testing.assert_array_equal(pixels, preprocess(data, Preprocessing(), SIZE))


def test_one_child_serves_many_pictures(isolated: IsolatedPreprocessor, data: bytes) -> None:
    isolated.preprocess(data)
    first = child_of(isolated)
    isolated.preprocess(data)
    assert child_of(isolated) == first


def test_an_unreadable_picture_keeps_its_code_and_the_child(isolated: IsolatedPreprocessor, data: bytes) -> None:
    isolated.preprocess(data)
    first = child_of(isolated)
    with pytest.raises(ImageError) as caught:
        isolated.preprocess(data[: len(data) // 2])
    assert caught.value.code is ImageErrorCode.TRUNCATED
    assert child_of(isolated) == first


@pytest.mark.parametrize(
    ("poison", "words"),
    [(b"SEGFAULT", "signal 11"), (b"KILL", "signal 9"), (b"MEMORY", "crashed"), (b"RAISE", "status 1")],
)
def test_a_crash_costs_its_picture_and_no_other(
    poison: bytes, words: str, isolated: IsolatedPreprocessor, data: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    isolated.preprocess(data)
    first = child_of(isolated)
    with pytest.raises(ImageError, match=words) as caught:
        isolated.preprocess(data + poison)
    assert caught.value.code is ImageErrorCode.WORKER_CRASHED
    np.testing.assert_array_equal(isolated.preprocess(data), preprocess(data, Preprocessing(), SIZE))
    assert child_of(isolated) != first
    capfd.readouterr()  # The child's last words.


def test_a_child_that_hangs_is_killed(fragile: PreprocessFunction, data: bytes) -> None:
    isolated = IsolatedPreprocessor(Preprocessing(), SIZE, timeout_seconds=3, function=fragile)
    try:
        with pytest.raises(ImageError, match="longer than 3 s") as caught:
            isolated.preprocess(data + b"HANG")
        assert caught.value.code is ImageErrorCode.WORKER_CRASHED
    finally:
        isolated.close()


@pytest.mark.parametrize("what", [b"PRINT", b"SECRET", b"LIMITS", b"TENSORFLOW"])
def test_the_child_is_quiet_poor_light_and_limited(
    what: bytes,
    isolated: IsolatedPreprocessor,
    data: bytes,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PHYTOBATCH_S3_SECRET_ACCESS_KEY", "secret")
    np.testing.assert_array_equal(isolated.preprocess(data + what), preprocess(data, Preprocessing(), SIZE))
    assert capfd.readouterr().out == ""


def test_closing_ends_the_child(isolated: IsolatedPreprocessor, data: bytes) -> None:
    isolated.preprocess(data)
    child = child_of(isolated)
    isolated.close()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_the_environment_has_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("PHYTOBATCH_DATABASE_URL", "secret")
    assert "secret" not in scrubbed_environment().values()


def test_a_run_survives_its_poison(classifier: Classifier, isolated: IsolatedPreprocessor, data: bytes) -> None:
    pictures = [data, data + b"SEGFAULT", data, data + b"KILL", data]
    with Pipeline(
        classifier,
        batch_size=4,
        download_threads=2,
        decode_threads=2,
        bytes_in_flight=10**6,
        isolated_preprocessor=isolated,
    ) as pipeline:
        items = [Item(n, "", len(picture)) for n, picture in enumerate(pictures)]
        outcomes = {o.seq: o for o in pipeline.run(items, lambda item: pictures[item.seq], isolated=True)}
    assert {n: o.error.code for n, o in outcomes.items() if o.error} == {
        1: ImageErrorCode.WORKER_CRASHED,
        3: ImageErrorCode.WORKER_CRASHED,
    }
    assert [outcomes[n].status for n in (0, 2, 4)] == [ImageStatus.SUCCEEDED] * 3
