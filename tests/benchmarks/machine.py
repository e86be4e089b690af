"""The machine and the versions, which every benchmark names."""

import os
import platform
from importlib.metadata import version

PACKAGES = ("tensorflow-cpu", "tensorflow", "keras", "onnxruntime", "pillow", "numpy", "celery", "sqlalchemy", "boto3")


def machine() -> str:
    """Processors and versions, in one line."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores, {_processor()}, Python {platform.python_version()}, {', '.join(_versions())}"


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
