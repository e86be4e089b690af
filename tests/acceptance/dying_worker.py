"""``python -m tests.acceptance.dying_worker``: a worker that dies when the results of a chunk are stored.

That is the moment between the commit in Postgres and the acknowledgement to Redis.
"""

import os
import signal

from worker.__main__ import main
from worker.jobs import classify


def die(_: object) -> None:
    """In the place of what comes right behind the commit."""
    os.kill(os.getpid(), signal.SIGKILL)


vars(classify).update({"count_results": die})

main()
