"""The processor of this machine: whether it multiplies bytes and adds up the products without overflow.

Where it cannot (AVX2 and AVX-512 alone), ONNX Runtime adds two products of bytes in 16 bits, which saturate: the same
int8 model then gives other answers than where it was judged (docs/decisions/0036).
"""

from pathlib import Path

CPU_INFO = Path("/proc/cpuinfo")
# In the order in which ONNX Runtime prefers them.
BYTE_PRODUCTS = ("avx512_vnni", "avx_vnni")


def byte_products(cpu_info: Path = CPU_INFO) -> str | None:
    """Return the instructions, as Linux names them, by which this processor multiplies bytes without overflow.

    Returns:
        None if it has none, or if the system does not say (``/proc/cpuinfo`` is Linux's).
    """
    flags = instructions(cpu_info)
    return next((name for name in BYTE_PRODUCTS if name in flags), None)


def instructions(cpu_info: Path = CPU_INFO) -> frozenset[str]:
    """Return the flags of the first processor; empty if the system does not say."""
    try:
        text = cpu_info.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return frozenset()
    line = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return frozenset(line.partition(":")[2].split())
