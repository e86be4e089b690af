"""Whatever happens in whatever order: counts add up, one result for an image, one terminal event for a run."""

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.integration.jobs.factory import Jobs
from tests.integration.jobs.statemachine.machine import LifeOfJobs

STEPS = 40
# `make test` walks the same ways every time; `--hypothesis-profile=thorough` walks many others.
QUICK = settings(max_examples=40, stateful_step_count=STEPS, deadline=None, derandomize=True, database=None)
THOROUGH = settings(max_examples=2000, stateful_step_count=2 * STEPS, deadline=None)


@pytest.mark.timeout(3600)
def test_the_database_is_as_in_the_model_whatever_happens(jobs: Jobs, request: pytest.FixtureRequest) -> None:
    LifeOfJobs.jobs, LifeOfJobs.tenant = jobs, jobs.tenant()
    thorough = request.config.getoption("--hypothesis-profile") == "thorough"
    run_state_machine_as_test(LifeOfJobs, settings=THOROUGH if thorough else QUICK)
