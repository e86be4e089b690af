"""Decoding in processes with limits of their own: of processor time, of memory, and of time on the clock.

pool.py        a few processes, shared by all runs of a worker
process.py     one of them, as its parent sees it
child.py       the program that runs in it
shared.py      memory of a fixed size in which pixels are handed over

Used for every picture that is out of the ordinary (``worker.inference.structure``), and for all pictures of a chunk
that ended a worker before.
"""

from worker.inference.isolation.pool import IsolatedPool
from worker.inference.isolation.process import IsolationLimits, scrubbed_environment

__all__ = ["IsolatedPool", "IsolationLimits", "scrubbed_environment"]
