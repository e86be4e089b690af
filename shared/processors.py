"""The number of processors that this process may use, by its scheduler and by the quota of its container."""

import math
import os
from pathlib import Path

# Control groups version 2 and 1 (Linux kernel documentation, cgroup-v2.rst, "CPU Interface Files").
QUOTA_V2 = Path("/sys/fs/cgroup/cpu.max")
QUOTA_V1 = (Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"), Path("/sys/fs/cgroup/cpu/cpu.cfs_period_us"))


def processors() -> int:
    """Return the number of processors, at least 1. A container with half a processor has one: more is throttled."""
    visible = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    allowed = quota(QUOTA_V2, QUOTA_V1)
    return visible if allowed is None else max(1, min(visible, math.ceil(allowed)))


def quota(version_2: Path, version_1: tuple[Path, Path]) -> float | None:
    """Return the processors that the control group may spend, as 1.5; None if nothing limits it."""
    try:
        limit, period = version_2.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        try:
            limit, period = (path.read_text(encoding="ascii").strip() for path in version_1)
        except OSError:
            return None
    try:
        spent = float(limit) / float(period)
    except (ValueError, ZeroDivisionError):
        return None  # "max": no limit
    return spent if spent > 0 else None  # version 1 writes -1 for no limit
