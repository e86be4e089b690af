"""The factory of the jobs serves the worker's tests too."""

from tests.integration.jobs.conftest import classifier, jobs

__all__ = ["classifier", "jobs"]
