"""``python -m tests.benchmarks.idle_worker``: a worker that reads no photograph and asks no model.

Everything else is the worker of production: what is left is the queue's own cost.
"""

from tests.benchmarks.nothing import open_nothing
from worker import process
from worker.__main__ import main

vars(process).update({"open_pipelines": open_nothing})

if __name__ == "__main__":
    main()
