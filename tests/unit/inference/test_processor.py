"""What a processor says of itself."""

from pathlib import Path

import pytest

from worker.inference.processor import byte_products, instructions

LINES = "processor\t: 0\nmodel name\t: Some Processor\nflags\t\t: {}\n\nprocessor\t: 1\nflags\t\t: fpu\n"


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        ("fpu avx2 fma", None),
        ("fpu avx2 avx512f avx512bw avx512vl", None),
        ("fpu avx2 avx_vnni", "avx_vnni"),
        ("fpu avx2 avx512f avx512_vnni avx_vnni", "avx512_vnni"),
    ],
)
def test_bytes_are_multiplied_where_the_processor_names_it(tmp_path: Path, flags: str, found: str | None) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(LINES.format(flags))
    assert byte_products(path) == found


def test_a_system_that_does_not_say_has_none(tmp_path: Path) -> None:
    assert instructions(tmp_path / "missing") == frozenset()
    assert byte_products(tmp_path / "missing") is None
    (tmp_path / "cpuinfo").write_bytes(b"Features\t: asimddp\n\xff")
    assert byte_products(tmp_path / "cpuinfo") is None
