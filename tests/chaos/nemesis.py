"""The nemesis: kills, pauses, restarts and cuts off, by the dice of a seed."""

import heapq
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psycopg

from deploy.local.child import children_of
from deploy.local.server import Server
from tests.chaos.world import World

# Between two faults; several may be at work at the same time.
PAUSE_SECONDS = (1.5, 6.0)
TEND_SECONDS = 0.2
SLOW_PERIOD_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that was done. Times by the wall clock; ``chunks``: those that a killed worker held."""

    kind: str
    at: float
    chunks: tuple[tuple[str, int], ...] = ()


Heal = Callable[[], None]


@dataclass(slots=True)
class Nemesis:
    """Runs in a thread of its own until it is told to stop; then everything is healed."""

    world: World
    seed: int
    faults: list[Fault] = field(default_factory=list)
    _heals: list[tuple[float, int, Heal]] = field(default_factory=list)
    _hit: set[str] = field(default_factory=set)

    def run(self, stop: threading.Event) -> None:
        """Do harm until ``stop``, heal everything, and go on tending what ends."""
        chance = random.Random(self.seed)  # noqa: S311  # dice, no secret
        next_at = time.monotonic() + 5.0
        while not stop.wait(TEND_SECONDS):
            self._heal_what_is_due()
            self.world.tend()
            if time.monotonic() >= next_at:
                self._strike(chance)
                next_at = time.monotonic() + chance.uniform(*PAUSE_SECONDS)
        while self._heals:
            heapq.heappop(self._heals)[2]()
        self.world.heal()

    def counts(self) -> Counter[str]:
        """Faults by kind."""
        return Counter(fault.kind for fault in self.faults)

    def _heal_what_is_due(self) -> None:
        while self._heals and self._heals[0][0] <= time.monotonic():
            heapq.heappop(self._heals)[2]()

    def _strike(self, chance: random.Random) -> None:
        kind, strike = chance.choices([(k, s) for k, s, _ in FAULTS], weights=[w for *_, w in FAULTS])[0]
        chunks = strike(self, chance)
        if chunks is not None:
            self.faults.append(Fault(kind, time.time(), chunks))

    def _later(self, seconds: float, target: str, heal: Heal) -> None:
        def healed() -> None:
            self._hit.discard(target)
            heal()

        self._hit.add(target)
        heapq.heappush(self._heals, (time.monotonic() + seconds, len(self.faults), healed))

    def _worker(self, chance: random.Random) -> str | None:
        """A worker that nothing is being done to; one is always left alone, so that there is progress to lose."""
        free = [n for n, r in self.world.roles.items() if n.startswith("worker") and r.child and n not in self._hit]
        return chance.choice(free) if len(free) > 1 else None

    # What can be done. Each returns the chunks that were held by what was killed, or None when nothing was done.

    def kill_worker(self, chance: random.Random) -> tuple[tuple[str, int], ...] | None:
        """SIGKILL in the middle of whatever it does."""
        name = self._worker(chance)
        if name is None:
            return None
        child = self.world.roles[name].child
        held = self._held_by(child.pid) if child else ()
        self.world.kill(name, down_seconds=chance.uniform(0, 4))
        return held

    def stop_worker(self, chance: random.Random) -> tuple[tuple[str, int], ...] | None:
        """SIGTERM: it hands its chunks back."""
        name = self._worker(chance)
        if name is None:
            return None
        self.world.tell_to_stop(name, down_seconds=chance.uniform(0, 2))
        return ()

    def pause_worker(self, chance: random.Random) -> tuple[tuple[str, int], ...] | None:
        """SIGSTOP, shorter or longer than its lease."""
        name = self._worker(chance)
        return None if name is None else self._pause_role(name, chance.uniform(1, 14))

    def kill_program(self, chance: random.Random, *, name: str) -> tuple[tuple[str, int], ...] | None:
        """SIGKILL of API, beat or deliverer."""
        if name in self._hit:
            return None
        self.world.kill(name, down_seconds=chance.uniform(0, 3))
        return ()

    def pause_program(self, chance: random.Random, *, name: str) -> tuple[tuple[str, int], ...] | None:
        """SIGSTOP of API, beat or deliverer."""
        return None if name in self._hit else self._pause_role(name, chance.uniform(1, 6))

    def _pause_role(self, name: str, seconds: float) -> tuple[tuple[str, int], ...]:
        self.world.pause(name)
        self._later(seconds, name, partial(self.world.go_on, name))
        return ()

    def kill_server(
        self, chance: random.Random, *, name: str, longest: float, empty: bool = False
    ) -> tuple[tuple[str, int], ...] | None:
        """SIGKILL of Postgres, Valkey or the object store; it comes back, Valkey also without its data."""
        if name in self._hit:
            return None
        server = self._server(name)
        server.kill()
        self._later(chance.uniform(0.2, longest), name, partial(server.restart, empty=empty))
        return ()

    def cut_off(self, chance: random.Random, *, name: str, longest: float) -> tuple[tuple[str, int], ...] | None:
        """SIGSTOP of a server and its children: connections stand and nobody answers, as behind a broken switch."""
        if name in self._hit:
            return None
        server = self._server(name)
        pids = [server.pid, *children_of(server.pid)]
        signal_all(pids, signal.SIGSTOP)
        self._later(chance.uniform(1, longest), name, partial(signal_all, pids, signal.SIGCONT))
        return ()

    def slow_down(self, chance: random.Random, *, name: str, longest: float) -> tuple[tuple[str, int], ...] | None:
        """SIGSTOP and SIGCONT in turns: a server that answers, and ten times as slowly."""
        if name in self._hit:
            return None
        server = self._server(name)
        over = threading.Event()
        slow = threading.Thread(target=slowly, args=([server.pid, *children_of(server.pid)], over), name=f"slow-{name}")
        slow.start()

        def healed() -> None:
            over.set()
            slow.join()

        self._later(chance.uniform(2, longest), name, healed)
        return ()

    def _server(self, name: str) -> Server:
        server: Server = getattr(self.world.system.servers, name)
        return server

    def _held_by(self, pid: int) -> tuple[tuple[str, int], ...]:
        """The chunks that a worker holds at this moment; none where Postgres cannot say.

        It is not asked while it is cut off: this thread would wait for what only this thread can heal.
        """
        if "postgres" in self._hit:
            return ()
        try:
            with self.world.system.sql() as sql:
                rows: list[tuple[Any, int]] = sql.execute(
                    "SELECT job_id, no FROM chunks WHERE state = 'running' AND worker LIKE %s", [f"%:{pid}"]
                ).fetchall()
        except psycopg.Error:
            return ()
        return tuple((str(job_id), no) for job_id, no in rows)


def signal_all(pids: list[int], number: signal.Signals) -> None:
    """Send a signal to each that still lives."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def slowly(pids: list[int], over: threading.Event) -> None:
    """Let processes run for a tenth of the time, until it is over."""
    while not over.is_set():
        signal_all(pids, signal.SIGSTOP)
        over.wait(SLOW_PERIOD_SECONDS * 0.9)
        signal_all(pids, signal.SIGCONT)
        over.wait(SLOW_PERIOD_SECONDS * 0.1)


Strike = Callable[[Nemesis, random.Random], tuple[tuple[str, int], ...] | None]

# Kind, what is done, and how often among the others.
FAULTS: tuple[tuple[str, Strike, int], ...] = (
    ("worker killed", Nemesis.kill_worker, 8),
    ("worker told to stop", Nemesis.stop_worker, 4),
    ("worker paused", Nemesis.pause_worker, 6),
    ("API killed", partial(Nemesis.kill_program, name="api"), 3),
    ("API paused", partial(Nemesis.pause_program, name="api"), 2),
    ("beat killed", partial(Nemesis.kill_program, name="beat"), 2),
    ("deliverer killed", partial(Nemesis.kill_program, name="deliverer"), 3),
    ("deliverer paused", partial(Nemesis.pause_program, name="deliverer"), 2),
    ("Redis killed", partial(Nemesis.kill_server, name="valkey", longest=8), 3),
    ("Redis killed and emptied", partial(Nemesis.kill_server, name="valkey", longest=8, empty=True), 3),
    ("Redis cut off", partial(Nemesis.cut_off, name="valkey", longest=10), 2),
    ("Postgres killed", partial(Nemesis.kill_server, name="postgres", longest=4), 3),
    ("Postgres cut off", partial(Nemesis.cut_off, name="postgres", longest=8), 2),
    ("object store killed", partial(Nemesis.kill_server, name="objects", longest=6), 3),
    ("object store cut off", partial(Nemesis.cut_off, name="objects", longest=8), 2),
    ("object store slow", partial(Nemesis.slow_down, name="objects", longest=15), 3),
)
