"""The programs of a campaign, and whoever starts again what has ended."""

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import urllib3

from deploy.local.child import Child
from tests.acceptance.system import System

Start = Callable[[], Child]


@dataclass(slots=True)
class Role:
    """One program that must run: what starts it, what runs now, and until when it is kept down."""

    name: str
    start: Start
    child: Child | None = None
    down_until: float = 0.0
    paused: bool = False


@dataclass(slots=True)
class World:
    """Every program by the name of its role. Used by one thread, the nemesis's."""

    system: System
    roles: dict[str, Role] = field(default_factory=dict)
    ended_by_themselves: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, system: System, workers: int) -> "World":
        """API, beat, deliverer and some workers; nothing runs yet."""
        starts: dict[str, Start] = {
            "api": lambda: system.start("api", "-m", "api"),
            "beat": system.start_beat,
            "deliverer": lambda: system.start("deliverer", "-m", "worker", "deliver"),
        }
        for number in range(workers):
            starts[f"worker-{number}"] = lambda: system.start("worker", "-m", "worker")
        return cls(system, {name: Role(name, start) for name, start in starts.items()})

    def tend(self) -> None:
        """Start what does not run and may, and take note of what ended although nobody killed it."""
        now = time.monotonic()
        for role in self.roles.values():
            if role.child is not None and role.child.returncode is not None:
                self.ended_by_themselves[f"{role.name.split('-')[0]} ({role.child.returncode})"] += 1
                role.child, role.down_until = None, now + 1.0
            if role.child is None and now >= role.down_until:
                role.child, role.paused = role.start(), False

    def kill(self, name: str, *, down_seconds: float) -> None:
        """SIGKILL, and down for a while."""
        self._end(name, signal.SIGKILL, down_seconds)

    def tell_to_stop(self, name: str, *, down_seconds: float) -> None:
        """SIGTERM, and down for a while; its end is not waited for, as it may wait for what is cut off."""
        self._end(name, signal.SIGTERM, down_seconds)

    def _end(self, name: str, number: signal.Signals, down_seconds: float) -> None:
        role = self.roles[name]
        if role.child is None:
            return
        if number == signal.SIGKILL:
            role.child.kill()
        else:
            role.child.send(signal.SIGCONT)
            threading.Thread(target=role.child.stop, name=f"stop-{name}").start()
        role.child, role.down_until, role.paused = None, time.monotonic() + down_seconds, False

    def pause(self, name: str) -> None:
        """SIGSTOP."""
        role = self.roles[name]
        if role.child is not None:
            role.child.send(signal.SIGSTOP)
            role.paused = True

    def go_on(self, name: str) -> None:
        """SIGCONT."""
        role = self.roles[name]
        if role.child is not None:
            role.child.send(signal.SIGCONT)
        role.paused = False

    def heal(self) -> None:
        """Everything may run again."""
        for role in self.roles.values():
            role.down_until = 0.0
            self.go_on(role.name)
        self.tend()


def wait_ready(url: str, seconds: float) -> None:
    """Return when the API says that it can work.

    Raises:
        TimeoutError: it does not within so many seconds.
    """
    deadline = time.monotonic() + seconds
    with urllib3.PoolManager(retries=False, timeout=3) as pool:
        while time.monotonic() < deadline:
            try:
                if pool.request("GET", f"{url}/readyz").status == 200:
                    return
            except urllib3.exceptions.HTTPError:
                pass
            time.sleep(0.1)
    raise TimeoutError(f"the API was not ready within {seconds:.0f} s")
