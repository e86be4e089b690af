"""Decoding in processes with limits of their own: of processor time, of memory, and of time on the clock.

pool.py        a few processes, shared by all runs of a worker
process.py     one child process, as its parent sees it
child.py       the program of the child
shared.py      memory of a fixed size, through which pixels are handed over

Used for every unusual picture (``worker.inference.structure``), and for all pictures of a chunk that ended a worker
before.
"""

from worker.inference.isolation.pool import IsolatedPool
from worker.inference.isolation.process import IsolationLimits, scrubbed_environment

__all__ = ["IsolatedPool", "IsolationLimits", "scrubbed_environment"]
