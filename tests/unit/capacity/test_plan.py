"""The day that is simulated, the number of workers, and what they need around them."""

from dataclasses import replace

import pytest

from tests.benchmarks.capacity.arrivals import HOUR, jobs_of_day
from tests.benchmarks.capacity.ends import ends_of
from tests.benchmarks.capacity.errors import OutOfReach
from tests.benchmarks.capacity.inputs import Inputs, Load, Target, Work, WorkerClass
from tests.benchmarks.capacity.money import money_per_1000
from tests.benchmarks.capacity.needs import needs_of
from tests.benchmarks.capacity.outcome import percentile
from tests.benchmarks.capacity.plan import _day, plan

IMAGES = 100_000
SLOW = WorkerClass(name="slow", images_per_second=2.0, startup_seconds=10.0, chunks_per_replica=10)
INPUTS = Inputs(load=Load(tenants=5, heavy_tenants=1))


def test_a_day_has_its_images_in_its_hours() -> None:
    jobs = jobs_of_day(Load(), 1_000_000)
    assert sum(job.images for job in jobs) == 1_000_000
    assert all(10 * HOUR <= job.at < 16 * HOUR for job in jobs)
    assert [job.number for job in sorted(jobs, key=lambda job: job.at)] == list(range(len(jobs)))
    assert sum(job.urgent for job in jobs) == 500
    sizes = [job.images for job in jobs if not job.urgent]
    assert max(sizes) <= 20_000
    assert sum(size < 2_000 for size in sizes) <= 1  # what was left over


def test_the_same_seed_is_the_same_day() -> None:
    assert jobs_of_day(Load(), IMAGES) == jobs_of_day(Load(), IMAGES)
    assert jobs_of_day(Load(seed=2), IMAGES) != jobs_of_day(Load(), IMAGES)


def test_the_plan_meets_the_target_and_one_worker_less_does_not() -> None:
    made = plan(INPUTS, SLOW, IMAGES)
    assert percentile([*made.outcome.waits, *made.outcome.urgent_waits], 0.95) <= INPUTS.target.wait_seconds
    assert made.outcome.images == IMAGES
    assert made.workers > 1
    assert _day(INPUTS, SLOW, IMAGES, made.workers - 1).gave_up


def test_more_patience_needs_fewer_workers() -> None:
    patient = replace(INPUTS, target=Target(wait_seconds=4 * HOUR))
    assert plan(patient, SLOW, IMAGES).workers < plan(INPUTS, SLOW, IMAGES).workers


def test_what_no_worker_can_do_is_said() -> None:
    never = replace(SLOW, min_replicas=0, startup_seconds=5000.0)
    with pytest.raises(OutOfReach, match=r"workers\.chunks_per_replica"):
        plan(INPUTS, never, IMAGES)


def test_needs_grow_with_the_images_and_money_is_the_sum_of_its_parts() -> None:
    small, large = (plan(INPUTS, WorkerClass(), images) for images in (IMAGES, 10 * IMAGES))
    little, much = needs_of(INPUTS, small), needs_of(INPUTS, large)
    assert much.postgres.gb_a_month == pytest.approx(10 * little.postgres.gb_a_month)
    assert much.objects.puts == 10 * little.objects.puts
    costs = money_per_1000(INPUTS, large, much)
    assert costs["workers"] == pytest.approx(large.outcome.worker_seconds / HOUR * 0.085 / 1000)
    assert all(dollars > 0 for dollars in costs.values())


def test_the_nearest_end_comes_first_and_moves_with_what_causes_it() -> None:
    ends = ends_of(Inputs(work=Work(write_seconds=0.1)))
    assert ends[0].part == "PostgreSQL: the row of one job"
    assert ends[0].images_per_second == pytest.approx(640)
    assert [end.images_per_second for end in ends] == sorted(end.images_per_second for end in ends)
    larger_chunks = ends_of(Inputs(work=Work(write_seconds=0.1, chunk_images=128)))
    assert larger_chunks[0].images_per_second == pytest.approx(1280)
