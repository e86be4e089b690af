"""Connected parts of a mask, by numpy alone."""

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
SWEEPS = 64


def largest_part(mask: Mask) -> Mask:
    """Return the largest part of a mask whose cells touch along rows and columns; an empty mask stays empty."""
    labels = _labelled(mask)
    if not mask.any():
        return mask
    values, counts = np.unique(labels[mask], return_counts=True)
    return np.asarray(np.logical_and(labels == values[counts.argmax()], mask), np.bool_)


def without_holes(mask: Mask) -> Mask:
    """Fill what a mask encloses: the parts of its complement that do not reach the border."""
    outside = np.pad(~mask, 1, constant_values=True)
    labels = _labelled(outside)
    return np.asarray(~((labels == labels[0, 0]) & outside)[1:-1, 1:-1], np.bool_)


def _labelled(mask: Mask) -> NDArray[np.int32]:
    """Give all cells of a part the same number: runs along rows and columns take their smallest in turns."""
    labels = np.arange(mask.size, dtype=np.int32).reshape(mask.shape)
    starts, lengths = _runs(mask)
    starts_across, lengths_across = _runs(mask.T)
    for _ in range(SWEEPS):
        along = _smallest(labels, starts, lengths)
        across = _smallest(along.T, starts_across, lengths_across).T
        if (across == labels).all():
            break
        labels = across
    return labels


def _runs(mask: Mask) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return starts and lengths of the runs of equal cells, row by row."""
    change = np.ones(mask.shape, bool)
    change[:, 1:] = mask[:, 1:] != mask[:, :-1]
    starts = np.flatnonzero(change)
    return starts, np.diff(starts, append=mask.size)


def _smallest(labels: NDArray[np.int32], starts: NDArray[np.intp], lengths: NDArray[np.intp]) -> NDArray[np.int32]:
    flat = np.ascontiguousarray(labels).ravel()
    return np.repeat(np.minimum.reduceat(flat, starts), lengths).reshape(labels.shape)
