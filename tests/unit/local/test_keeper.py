from dataclasses import dataclass, field

from deploy.local.errors import LocalStackError
from deploy.local.keeper import STABLE_SECONDS, Keeper


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Stumbler:
    """A process (see ``Process``) whose end and whose failing starts are told."""

    name: str = "worker"
    pid: int = 1
    code: int | None = None
    refuses: int = 0
    starts: list[float] = field(default_factory=list)
    clock: Clock = field(default_factory=Clock)

    def start(self) -> None:
        self.starts.append(self.clock.now)
        if self.refuses:
            self.refuses -= 1
            raise LocalStackError("no port")
        self.code = None

    def stop(self) -> None:
        self.code = None

    def exit_code(self) -> int | None:
        return self.code


def run_until(keeper: Keeper, process: Stumbler, seconds: float, step: float = 0.5) -> None:
    end = process.clock.now + seconds
    while process.clock.now < end:
        keeper.check()
        process.clock.now += step


def test_a_process_that_lives_is_left_alone() -> None:
    process, said = Stumbler(), list[str]()
    run_until(Keeper(process, said.append, process.clock), process, 100)
    assert process.starts == []
    assert said == []


def test_a_process_that_died_is_started_again_and_it_is_said() -> None:
    process, said = Stumbler(code=-9), list[str]()
    keeper = Keeper(process, said.append, process.clock)
    assert not keeper.check()
    assert keeper.waiting
    run_until(keeper, process, 3)
    assert process.starts == [101.0]
    assert said == ["worker ended (killed by SIGKILL); it is started again in 1 s"]
    assert not keeper.waiting


def test_pauses_grow_to_a_bound_for_one_that_cannot_start() -> None:
    process = Stumbler(code=1, refuses=100)
    run_until(Keeper(process, lambda _: None, process.clock), process, 200)
    pauses = [later - earlier for earlier, later in zip(process.starts, process.starts[1:], strict=False)]
    assert pauses[:5] == [2.0, 4.0, 8.0, 16.0, 30.0]
    assert set(pauses[5:]) == {30.0}


def test_one_that_ran_for_long_gets_a_short_pause_again() -> None:
    process = Stumbler(code=1, refuses=3)
    keeper = Keeper(process, lambda _: None, process.clock)
    run_until(keeper, process, 20)
    process.clock.now += STABLE_SECONDS
    process.code, died = 1, process.clock.now
    run_until(keeper, process, 5)
    assert process.starts[-1] == died + 1.0
