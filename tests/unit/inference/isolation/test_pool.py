"""The child process, really started, really crashed."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib import import_module
from pathlib import Path

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from PIL import Image

from shared.contracts.manifest import Preprocessing
from shared.contracts.states import ImageErrorCode, ImageStatus
from tests.patience import PATIENCE_SECONDS, wait_for
from worker.inference.classifier import Classifier
from worker.inference.errors import ImageError
from worker.inference.isolation import IsolatedPool, IsolationLimits, scrubbed_environment
from worker.inference.pipeline import Item, Odd, Pipeline
from worker.inference.preprocess import resized_pixels

pytestmark = pytest.mark.slow

Encode = Callable[..., bytes]
Decode = Callable[..., NDArray[np.uint8]]
SIZE = (8, 12)
# What a decoder with a bug does with certain bytes. The child imports this file by its name.
FRAGILE = """
import ctypes, os, signal, sys, time
from worker.inference.preprocess import resized_pixels

def fragile(data, preprocessing, input_size, *, limits):
    if data.endswith(b"SEGFAULT"):
        ctypes.string_at(0)
    if data.endswith(b"KILL"):
        os.kill(os.getpid(), signal.SIGKILL)
    if data.endswith(b"HANG"):
        time.sleep(600)
    if data.endswith(b"MEMORY"):
        bytearray(64 * 1024**3)
    if data.endswith(b"BUSY"):
        while True:
            pass
    if data.endswith(b"LARGE"):
        import numpy
        return numpy.zeros((10_000, 10_000, 3), numpy.uint8)
    if data.endswith(b"SHRINK"):
        for descriptor in range(3, 100):
            try:
                if "phytobatch-pixels" in os.readlink(f"/proc/self/fd/{descriptor}"):
                    os.ftruncate(descriptor, 0)
            except OSError:
                pass
    if data.endswith(b"RAISE"):
        raise RuntimeError("a bug")
    if data.endswith(b"PRINT"):
        print("a library that prints", flush=True)
    if data.endswith(b"SECRET"):
        assert "PHYTOBATCH_S3_SECRET_ACCESS_KEY" not in os.environ
    if data.endswith(b"LIMITS"):
        import resource
        assert resource.getrlimit(resource.RLIMIT_AS)[0] < 2 * 1024**3
        assert resource.getrlimit(resource.RLIMIT_CPU)[0] < 60
        assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
        if sys.platform == "linux":
            assert open("/proc/self/oom_score_adj").read().strip() == "1000"
    if data.endswith(b"TENSORFLOW"):
        assert not {"tensorflow", "keras"} & set(sys.modules)
    return resized_pixels(data, preprocessing, input_size, limits=limits)
"""


@pytest.fixture
def fragile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Decode]:
    (tmp_path / "fragile_decoder.py").write_text(FRAGILE)
    monkeypatch.syspath_prepend(tmp_path)
    function: Decode = import_module("fragile_decoder").fragile
    yield function
    del sys.modules["fragile_decoder"]


@pytest.fixture
def isolated(fragile: Decode) -> Iterator[IsolatedPool]:
    made = IsolatedPool(function=fragile)
    yield made
    made.close()


@pytest.fixture
def data(photo: Image.Image, encode: Encode) -> bytes:
    return encode(photo)


def child_of(isolated: IsolatedPool) -> int:
    """The process that had the last picture."""
    return isolated.pids[-1]


def pixels_of(isolated: IsolatedPool, data: bytes) -> NDArray[np.uint8]:
    return isolated.resized_pixels(data, Preprocessing(), SIZE)


def test_the_child_gives_the_same_pixels(isolated: IsolatedPool, data: bytes) -> None:
    pixels = pixels_of(isolated, data)
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, resized_pixels(data, Preprocessing(), SIZE))


def test_one_child_serves_many_pictures(isolated: IsolatedPool, data: bytes) -> None:
    pixels_of(isolated, data)
    first = child_of(isolated)
    pixels_of(isolated, data)
    assert child_of(isolated) == first


def test_an_unreadable_picture_keeps_its_code_and_the_child(isolated: IsolatedPool, data: bytes) -> None:
    pixels_of(isolated, data)
    first = child_of(isolated)
    with pytest.raises(ImageError) as caught:
        pixels_of(isolated, data[: len(data) // 2])
    assert caught.value.code is ImageErrorCode.TRUNCATED
    assert child_of(isolated) == first


@pytest.mark.parametrize(
    ("poison", "words"),
    [(b"SEGFAULT", "signal 11"), (b"KILL", "signal 9"), (b"RAISE", "status 1"), (b"LARGE", "status 1")],
)
def test_a_crash_costs_its_picture_and_no_other(
    poison: bytes, words: str, isolated: IsolatedPool, data: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    pixels_of(isolated, data)
    first = child_of(isolated)
    with pytest.raises(ImageError, match=words) as caught:
        pixels_of(isolated, data + poison)
    assert caught.value.code is ImageErrorCode.WORKER_CRASHED
    np.testing.assert_array_equal(pixels_of(isolated, data), resized_pixels(data, Preprocessing(), SIZE))
    assert child_of(isolated) != first
    capfd.readouterr()  # The child's last words.


def test_a_child_that_hangs_is_killed(fragile: Decode, data: bytes) -> None:
    isolated = IsolatedPool(limits=IsolationLimits(timeout_seconds=3), function=fragile)
    try:
        with pytest.raises(ImageError, match="longer than 3 s") as caught:
            pixels_of(isolated, data + b"HANG")
        assert caught.value.code is ImageErrorCode.TOO_COSTLY
    finally:
        isolated.close()


ORPHAN = """
import os, threading
from fragile_decoder import fragile
from worker.inference.isolation.process import ChildProcess, IsolationLimits
child = ChildProcess(IsolationLimits(timeout_seconds=1), fragile)
print(child.pid, flush=True)
request = {"preprocessing": {}, "input_size": [8, 8], "limits": {}}
threading.Thread(target=child._ask, args=(b"HANG", request), daemon=True).start()
threading.Event().wait(0.5)
os._exit(0)
"""


@pytest.mark.usefixtures("fragile")
def test_a_child_that_hangs_ends_also_where_its_parent_was_killed() -> None:
    environment = scrubbed_environment() | {"PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.run([sys.executable, "-c", ORPHAN], env=environment, capture_output=True, text=True, check=True)
    pid = int(parent.stdout)
    wait_for(lambda: _is_at_work(pid), lambda at_work: not at_work, PATIENCE_SECONDS)


def _is_at_work(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_child_that_needs_too_much_of_a_processor_is_ended(fragile: Decode, data: bytes) -> None:
    isolated = IsolatedPool(limits=IsolationLimits(processor_seconds=1), function=fragile)
    try:
        pixels_of(isolated, data)
        with pytest.raises(ImageError, match="more than 1 s of a processor") as caught:
            pixels_of(isolated, data + b"BUSY")
        assert caught.value.code is ImageErrorCode.TOO_COSTLY
        pixels_of(isolated, data)
    finally:
        isolated.close()


def test_a_picture_that_needs_too_much_memory_costs_no_child(isolated: IsolatedPool, data: bytes) -> None:
    pixels_of(isolated, data)
    first = child_of(isolated)
    with pytest.raises(ImageError, match="too much memory") as caught:
        pixels_of(isolated, data + b"MEMORY")
    assert caught.value.code is ImageErrorCode.TOO_COSTLY
    assert child_of(isolated) == first


def test_a_decoder_that_gets_no_memory_and_calls_the_file_broken_is_not_believed(encode: Encode) -> None:
    """libwebp and libjpeg say the same of a damaged file and of one for which they get no memory."""
    with closing(IsolatedPool(limits=IsolationLimits(memory_bytes=48 * 1024**2))) as pool:
        for image_format, options in (("WEBP", {"lossless": True}), ("JPEG", {"progressive": True})):
            large = encode(Image.new("RGB", (3000, 3000), (9, 99, 19)), image_format, **options)
            with pytest.raises(ImageError, match=r"not enough memory .* of 3000 x 3000 pixels") as caught:
                pool.resized_pixels(large, Preprocessing(), SIZE)
            assert caught.value.code is ImageErrorCode.TOO_COSTLY
        small = encode(Image.new("RGB", (64, 64)), "WEBP")
        with pytest.raises(ImageError) as caught:
            pool.resized_pixels(small[:30] + bytes(len(small) - 30), Preprocessing(), SIZE)
        assert caught.value.code is ImageErrorCode.DECODE_FAILED


@pytest.mark.skipif(sys.platform != "linux", reason="sizes of shared memory are sealed on Linux alone")
def test_a_child_cannot_shrink_the_memory_that_its_parent_reads(isolated: IsolatedPool, data: bytes) -> None:
    np.testing.assert_array_equal(pixels_of(isolated, data + b"SHRINK"), resized_pixels(data, Preprocessing(), SIZE))


@pytest.mark.parametrize("what", [b"PRINT", b"SECRET", b"LIMITS", b"TENSORFLOW"])
def test_the_child_is_quiet_poor_light_and_limited(
    what: bytes,
    isolated: IsolatedPool,
    data: bytes,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PHYTOBATCH_S3_SECRET_ACCESS_KEY", "secret")
    np.testing.assert_array_equal(pixels_of(isolated, data + what), resized_pixels(data, Preprocessing(), SIZE))
    assert capfd.readouterr().out == ""


def test_closing_ends_the_child(isolated: IsolatedPool, data: bytes) -> None:
    pixels_of(isolated, data)
    child = child_of(isolated)
    isolated.close()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_the_environment_has_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("PHYTOBATCH_DATABASE_URL", "secret")
    assert "secret" not in scrubbed_environment().values()


def test_a_run_survives_its_poison(classifier: Classifier, isolated: IsolatedPool, data: bytes) -> None:
    pictures = [data, data + b"SEGFAULT", data, data + b"KILL", data]
    with Pipeline(
        classifier,
        batch_size=4,
        download_threads=2,
        decode_threads=2,
        bytes_in_flight=10**6,
        isolated=isolated,
    ) as pipeline:
        items = [Item(n, "", len(picture)) for n, picture in enumerate(pictures)]
        outcomes = {o.seq: o for o in pipeline.run(items, lambda item: pictures[item.seq], odd=Odd.ISOLATE_ALL)}
    assert {n: o.error.code for n, o in outcomes.items() if o.error} == {
        1: ImageErrorCode.WORKER_CRASHED,
        3: ImageErrorCode.WORKER_CRASHED,
    }
    assert [outcomes[n].status for n in (0, 2, 4)] == [ImageStatus.SUCCEEDED] * 3
