"""The simulation keeps what it is given: every image once, shares as stated, more workers never slower."""

from dataclasses import replace

import pytest

from shared.jobs.cut import cut
from tests.benchmarks.capacity.arrivals import Job
from tests.benchmarks.capacity.inputs import Scaling, Work, WorkerClass
from tests.benchmarks.capacity.outcome import Outcome, percentile
from tests.benchmarks.capacity.simulation import DAY, Patience, Simulation

# Nothing but the images takes time.
FREE = Work(
    chunk_images=5,  # so small that all are of one size
    slots=2,
    round_trip_seconds=0.0,
    write_seconds=0.0,
    validate_seconds_per_1000=0.0,
    database_chunks_per_second=1e9,
)
TEN_A_SECOND = WorkerClass(name="ten", images_per_second=10.0)
MIXED = [
    Job(0, 0, 0.0, 995),
    Job(1, 1, 3.0, 204),
    Job(2, 1, 5.0, 7, urgent=True),
    Job(3, 2, 5.0, 333),
    Job(4, 0, 60.0, 1, urgent=True),
]


def simulate(jobs: list[Job], *, work: Work = FREE, most: int = 1, weights: tuple[float, ...] = (1, 1, 1)) -> Outcome:
    return Simulation(work, TEN_A_SECOND, weights, most=most).run(jobs)


@pytest.mark.parametrize("most", [1, 3, 40])
def test_every_image_is_served_once(most: int) -> None:
    outcome = simulate(MIXED, most=most, work=Work())
    waited = sum(images for _, images in [*outcome.waits, *outcome.urgent_waits])
    assert outcome.images == waited == sum(job.images for job in MIXED)
    assert set(outcome.job_seconds) == {job.number for job in MIXED}
    assert outcome.chunks == sum(len(list(cut(job.images, Work().chunk_images))) for job in MIXED)


def test_one_worker_without_pauses_takes_the_sum() -> None:
    outcome = simulate([Job(0, 0, 0.0, 250), Job(1, 1, 0.0, 105), Job(2, 2, 0.0, 5, urgent=True)])
    assert outcome.ended_at == pytest.approx(360 / 10)


def test_a_lonely_job_takes_its_images_its_validation_and_one_round_trip() -> None:
    work = replace(FREE, round_trip_seconds=0.5, write_seconds=0.25, validate_seconds_per_1000=2.0)
    outcome = simulate([Job(0, 0, 7.0, 5)], work=work)
    assert outcome.job_seconds[0] == pytest.approx(5 * 2.0 / 1000 + 0.5 + 5 / 10 + 0.25 + 0.5)


def test_the_second_slot_hides_the_round_trips_of_the_first() -> None:
    """With one slot the processors wait for the database between two chunks; with two, only after the last."""
    slow = replace(FREE, round_trip_seconds=0.25)
    job = [Job(0, 0, 0.0, 100)]
    assert simulate(job, work=replace(slow, slots=1)).ended_at == pytest.approx(0.25 + 20 * (0.5 + 0.25))
    assert simulate(job, work=slow).ended_at == pytest.approx(0.25 + 20 * 0.5 + 0.25)


def test_more_workers_are_never_slower() -> None:
    ends = [simulate(MIXED[:4], most=most, work=Work()).ended_at for most in range(1, 12)]
    assert ends == sorted(ends, reverse=True)
    assert ends[-1] < ends[0] / 3


def test_tenants_share_by_their_weights() -> None:
    """While both have work, the tenant of weight 3 gets three of four places."""
    jobs = [Job(0, 0, 0.0, 4000), Job(1, 1, 0.0, 4000)]
    outcome = simulate(jobs, most=8, weights=(3, 1))
    until = outcome.job_seconds[0]  # 4,000 images at 80/s, of which three quarters are his
    assert until == pytest.approx(4000 / (80 * 3 / 4), rel=0.03)
    assert outcome.job_seconds[1] == pytest.approx(8000 / 80, rel=0.03)


def test_jobs_of_one_tenant_go_by_age() -> None:
    outcome = simulate([Job(0, 0, 0.0, 200), Job(1, 0, 0.0, 200)])
    assert outcome.job_seconds[0] == pytest.approx(20.0, abs=1.0)
    assert outcome.job_seconds[1] == pytest.approx(40.0)


def test_an_urgent_image_shares_the_processors_instead_of_waiting_for_slots() -> None:
    outcome = simulate([Job(0, 0, 0.0, 1000), Job(1, 1, 20.0, 5, urgent=True)])
    assert outcome.job_seconds[1] == pytest.approx(5 / (10 / 2))
    assert outcome.ended_at == pytest.approx(1005 / 10)


def test_the_database_bounds_what_any_number_of_workers_can_do() -> None:
    outcome = simulate([Job(0, 0, 0.0, 1000)], most=100, work=replace(FREE, database_chunks_per_second=2.0))
    assert outcome.ended_at == pytest.approx(0.5 + 200 / 2, abs=1.0)


def test_the_row_of_a_job_is_written_by_one_at_a_time() -> None:
    locked = replace(FREE, write_seconds=0.5)
    one = simulate([Job(0, 0, 0.0, 1000)], most=200, work=locked)
    four = simulate([Job(number, 0, 0.0, 250) for number in range(4)], most=200, work=locked)
    assert one.ended_at == pytest.approx(0.5 + 200 * 0.5)
    assert four.ended_at == pytest.approx(0.5 + 50 * 0.5)


def test_workers_come_with_the_work_and_go_after_it() -> None:
    kind = replace(TEN_A_SECOND, min_replicas=0, startup_seconds=100.0, chunks_per_replica=5)
    outcome = Simulation(FREE, kind, (1,), most=4, scaling=Scaling()).run([Job(0, 0, 3600.0, 4000)])
    assert outcome.most_workers == 4
    assert outcome.job_seconds[0] > 100.0 + 4000 / 40
    assert 4000 / 10 < outcome.worker_seconds < DAY / 10


def test_a_minimum_is_there_and_paid_all_day() -> None:
    outcome = Simulation(FREE, TEN_A_SECOND, (1,), most=4, scaling=Scaling()).run([Job(0, 0, 3600.0, 10)])
    assert outcome.job_seconds[0] == pytest.approx(1.0)
    assert outcome.worker_seconds == pytest.approx(DAY, rel=0.001)


def test_a_run_ends_early_when_too_many_wait_too_long() -> None:
    patience = Patience(seconds=10.0, images=50.0)
    outcome = Simulation(FREE, TEN_A_SECOND, (1,), most=1, patience=patience).run([Job(0, 0, 0.0, 100_000)])
    assert outcome.gave_up
    assert outcome.images < 1000


def test_a_percentile_counts_images() -> None:
    assert percentile([(1.0, 94), (2.0, 1), (9.0, 5)], 0.95) == 2.0
    assert percentile([(9.0, 6), (1.0, 94)], 0.95) == 9.0
    assert percentile([], 0.95) == 0.0
