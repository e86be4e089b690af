"""Free ports on the loopback address."""

import random
import socket
from collections.abc import Callable

from deploy.local.errors import LocalStackError

LOOPBACK = "127.0.0.1"
# Below the range that systems take for outgoing connections (32768 and up on Linux), so that none of those takes our
# port while a server is restarted; and low enough for the gRPC ports of SeaweedFS, 10,000 above its HTTP ports.
FIRST_PORT, LAST_PORT = 12_000, 21_900
ATTEMPTS = 200


def is_free(port: int) -> bool:
    """Return True if a server could listen on ``port`` of the loopback address now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections of an ended server that linger in TIME_WAIT are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port(usable: Callable[[int], bool] = is_free) -> int:
    """Choose a random port for which ``usable`` is true. Random, so that stacks that start together differ.

    Raises:
        LocalStackError: none was found.
    """
    for _ in range(ATTEMPTS):
        port = random.randint(FIRST_PORT, LAST_PORT)  # noqa: S311  # nothing secret about it
        if usable(port):
            return port
    raise LocalStackError(f"no free port on {LOOPBACK} between {FIRST_PORT} and {LAST_PORT}")
