"""A file that cannot be read is one failed image with a reason; its neighbours get their answers."""

import io
import struct
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from deploy.local.ports import free_port
from phytobatch import ImageSpec
from tests.acceptance.system import System
from tests.integration.metrics.scrape import Scrape, scrape
from tests.patience import wait_for

GIBIBYTE = 1024**3


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds one line of it (ISO/IEC 15948, clause 11)."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    line = zlib.compress(bytes(1 + 3 * width))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", line) + chunk(b"IEND", b"")


def bomb() -> bytes:
    """20,000 x 20,000 pixels of one colour, in two megabytes."""
    rows = zlib.compressobj(9)
    line = bytes(1 + 3 * 20_000)
    body = b"".join(rows.compress(line) for _ in range(20_000)) + rows.flush()
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def odd_files(leaf: bytes) -> dict[str, tuple[bytes, str]]:
    """Name to (content, what must come of it: ``succeeded`` or an error code)."""
    picture = Image.open(io.BytesIO(leaf)).convert("RGB")
    sixteen_bit = Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
    frames = [picture.resize((64, 64)), picture.resize((64, 64)).rotate(90)]
    return {
        "good.jpg": (leaf, "succeeded"),
        "zero bytes.jpg": (b"", "empty"),
        "truncated.jpg": (leaf[: len(leaf) // 2], "truncated"),
        "page.jpg": (b"<!DOCTYPE html><html><body>Not found</body></html>", "unsupported_format"),
        "bomb.png": (bomb(), "too_many_pixels"),
        "header of 400 megapixels.png": (png_header(20_000, 20_000), "too_many_pixels"),
        "noise.jpg": (bytes(range(256)) * 40, "unsupported_format"),
        "cut in the middle.png": (encoded(picture, "PNG")[:-5000], "truncated"),
        "16 bit.png": (encoded(sixteen_bit, "PNG"), "succeeded"),
        "cmyk.jpg": (encoded(picture.convert("CMYK"), "JPEG"), "succeeded"),
        "palette.png": (encoded(picture.convert("P"), "PNG"), "succeeded"),
        "transparent.png": (encoded(picture.convert("RGBA"), "PNG"), "succeeded"),
        "animated.webp": (encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]), "succeeded"),
        "a png called.jpg": (encoded(picture, "PNG"), "succeeded"),
        "row 1/Zürich 🌿 \u202e.jpg": (leaf + b"\0", "succeeded"),
    }


def test_every_odd_file_gets_its_answer_or_its_reason(quiet: System, leaf_files: list[Path], tmp_path: Path) -> None:
    system = quiet
    metrics_port = free_port()
    worker = psutil.Process(system.start_worker(PHYTOBATCH_METRICS_PORT=str(metrics_port)).pid)
    odd = odd_files(leaf_files[0].read_bytes())
    with system.client() as api:
        job = api.create_job(name="odd files")
        specs = [ImageSpec(name=name, size=len(content)) for name, (content, _) in odd.items()]
        for target, (content, _) in zip(api.add_images(job.id, specs), odd.values(), strict=True):
            file = tmp_path / str(target.seq)
            file.write_bytes(content)
            api.upload(target, file)
        api.commit(job.id)
    ended = system.wait_for_end(job.id)
    assert ended.state == "completed_with_errors"
    found = {r.name: r.error_code or r.status for r in system.results(job.id)}
    assert found == {name: expected for name, (_, expected) in odd.items()}
    with system.sql() as sql:
        attempts = sql.execute("SELECT max(attempt) FROM chunks WHERE job_id = %s", [job.id]).fetchone()
    assert attempts == (1,), "no worker died of it; setting a chunk aside costs no attempt"
    assert worker.memory_info().rss < 3 * GIBIBYTE, "a picture of 400 megapixels would have taken 1.2 GB by itself"
    expected = Counter(came_of_it for _, came_of_it in odd.values())
    # A job is over before its last chunk is counted.
    assert_told(wait_for(lambda: scrape(metrics_port), is_idle), expected)


def is_idle(seen: Scrape) -> bool:
    """Return True if every chunk that was claimed has ended."""
    claimed, ended = seen.total("phytobatch_chunk_attempts_total"), seen.total("phytobatch_chunks_total")
    return claimed == ended == 3 and seen.value("phytobatch_slots_busy") == 0


def assert_told(seen: Scrape, expected: Counter[str]) -> None:
    """Prometheus gets the same story: every image by its reason, every chunk, and where the time went."""
    by_code = {code: seen.total("phytobatch_images_total", code=code) for code in expected if code != "succeeded"}
    assert by_code == {code: count for code, count in expected.items() if code != "succeeded"}
    assert seen.value("phytobatch_images_total", status="succeeded", code="") == expected["succeeded"]
    assert seen.value("phytobatch_images_total", status="rejected", code="empty") == 1
    assert seen.value("phytobatch_chunks_total", kind="validate", outcome="finished") == 1
    assert seen.value("phytobatch_chunks_total", kind="classify", outcome="finished") == 1
    fetched = expected.total() - 1  # all but the one of zero bytes
    assert seen.value("phytobatch_chunks_total", kind="classify", outcome="set_aside") == 1
    again = seen.total("phytobatch_stage_seconds_count", stage="download") - fetched
    assert 0 < again < fetched / 2, "unusual pictures are fetched once more, for a process"
    assert seen.value("phytobatch_stage_seconds_count", stage="decode") == fetched
    assert seen.total("phytobatch_stage_seconds_count", stage="predict") >= 1
    assert seen.value("phytobatch_stage_seconds_count", stage="write") == 1
    assert seen.total("phytobatch_batch_fill_ratio_count") == seen.total(
        "phytobatch_stage_seconds_count", stage="predict"
    )
    assert seen.labels("phytobatch_classifier_info", "name") == {"leaf"}
    assert seen.value("phytobatch_slots") == 2
    assert seen.value("phytobatch_bytes_in_flight") == 0
    assert seen.value("phytobatch_s3_seconds_count", operation="get") == fetched + again
    assert seen.total("phytobatch_s3_errors_total") == 0
    assert seen.total("phytobatch_database_transaction_seconds_count") > 0
