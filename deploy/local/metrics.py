"""The ports of the programs' metrics. They are remembered, so that Prometheus finds them after a restart."""

from collections.abc import Mapping

from deploy.local.ports import LOOPBACK, free_port, is_free
from deploy.local.state import StackState

PROGRAMS = ("api", "worker", "beat", "deliverer")
HOST, PORT = "PHYTOBATCH_METRICS_HOST", "PHYTOBATCH_METRICS_PORT"


class MetricsPorts:
    """The assigned ports, by program."""

    def __init__(self, state: StackState) -> None:
        self._state = state
        self._ports: dict[str, int] = {}

    def settings(self, program: str, user: Mapping[str, str]) -> dict[str, str]:
        """Return the variables for one start of a program; without metrics port 0, whatever the user has set."""
        if program not in PROGRAMS:
            return {PORT: "0"}
        self._ports[program] = self._state.port(f"metrics-{program}", free_port, is_free)
        return {HOST: user.get(HOST) or LOOPBACK, PORT: str(self._ports[program])}

    @property
    def urls(self) -> dict[str, str]:
        """The addresses for Prometheus, by program."""
        return {program: f"http://{LOOPBACK}:{port}/metrics" for program, port in self._ports.items()}
