"""The number of workers for the target: the smallest with which the simulated day meets it."""

from dataclasses import dataclass

from tests.benchmarks.capacity.arrivals import HOUR, jobs_of_day, weights
from tests.benchmarks.capacity.errors import OutOfReach
from tests.benchmarks.capacity.inputs import Inputs, WorkerClass
from tests.benchmarks.capacity.outcome import Outcome
from tests.benchmarks.capacity.simulation import Patience, Simulation

# Beyond so many times what the images alone need, more workers do not help.
HOPELESS = 16


@dataclass(frozen=True, slots=True)
class Plan:
    """The workers that a load needs, and how its day goes with them."""

    images: int
    kind: WorkerClass
    workers: int
    outcome: Outcome


def plan(inputs: Inputs, kind: WorkerClass, images: int) -> Plan:
    """The least workers of this kind. More of them are taken never to be worse, so the search halves.

    Raises:
        OutOfReach: no number of workers meets the target.
    """
    enough = _least_by_sum(inputs, kind, images)
    hopeless = HOPELESS * enough
    outcome = _day(inputs, kind, images, enough)
    too_few = enough - 1 if outcome.gave_up else 0
    while outcome.gave_up:
        if enough > hopeless:
            raise OutOfReach(_why(inputs, kind, enough))
        too_few, enough = enough, 2 * enough
        outcome = _day(inputs, kind, images, enough)
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        tried = _day(inputs, kind, images, middle)
        if tried.gave_up:
            too_few = middle
        else:
            enough, outcome = middle, tried
    return Plan(images, kind, enough, outcome)


def _least_by_sum(inputs: Inputs, kind: WorkerClass, images: int) -> int:
    """Return the work of all images, spread evenly over the hours of their arrival."""
    seconds = (inputs.load.arrive_until - inputs.load.arrive_from) * HOUR
    return int(images / seconds / kind.images_per_second) + 1


def _day(inputs: Inputs, kind: WorkerClass, images: int, most: int) -> Outcome:
    """A simulated day; ``gave_up`` says that it missed the target."""
    target = inputs.target
    simulation = Simulation(
        inputs.work,
        kind,
        weights(inputs.load),
        most=most,
        scaling=inputs.scaling,
        patience=Patience(target.wait_seconds, (1 - target.share) * images),
    )
    return simulation.run(jobs_of_day(inputs.load, images))


def _why(inputs: Inputs, kind: WorkerClass, tried: int) -> str:
    return (
        f"{tried} workers of {kind.name} do not let {inputs.target.share:.0%} of the images wait for at most "
        f"{inputs.target.wait_seconds:.0f} s: allow more time, let fewer chunks ask for a worker "
        "(workers.chunks_per_replica), keep more of them (workers.min_replicas), or raise "
        "work.database_chunks_per_second"
    )
