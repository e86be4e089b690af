"""What every benchmark says of itself: the machine, the versions, the set of images."""

import os
import platform
from importlib.metadata import version
from statistics import median

PACKAGES = ("tensorflow-cpu", "tensorflow", "keras", "onnxruntime", "pillow", "numpy", "celery", "sqlalchemy", "boto3")


def heading(what: str) -> None:
    """The first lines of a benchmark."""
    print(f"# {what}")
    print(machine())


def machine() -> str:
    """Processors and versions, in one line."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores, {_processor()}, Python {platform.python_version()}, {', '.join(_versions())}"


def spread(values: list[float], unit: str) -> str:
    """Median and range."""
    return f"{median(values):.1f} {unit} ({min(values):.1f} to {max(values):.1f}, {len(values)} rounds)"


def _versions() -> list[str]:
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except ModuleNotFoundError:
            continue
    return found


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123  # a device of Linux
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
