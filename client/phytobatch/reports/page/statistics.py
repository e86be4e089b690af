"""Confidence intervals of shares."""

from __future__ import annotations

import math

# The 97.5th percentile of the standard normal distribution: 95 % lie between it and its negative.
Z = 1.959963984540054


def wilson(hits: int, of: int) -> tuple[float, float]:
    """Return the 95 % score interval of a share (Wilson 1927, "Probable inference"): lower and upper end, 0 to 1."""
    if of == 0:
        return 0.0, 1.0
    share = hits / of
    middle = share + Z * Z / (2 * of)
    half = Z * math.sqrt(share * (1 - share) / of + Z * Z / (4 * of * of))
    scale = 1 + Z * Z / of
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)
