"""Limits of tenants, as operators set them and look at them."""

import uuid

import pytest

from shared.db.models import Tenant
from tests.integration.api.admin.conftest import Admin
from tests.integration.jobs.factory import Jobs


def holding(admin: Admin, tenant: str) -> dict[str, tuple[str, str]]:
    """Limit to what holds, and where that is said."""
    return {row[1]: (row[2], row[3]) for row in admin.rows("show-limits", tenant)}


@pytest.fixture
def north(admin: Admin) -> str:
    admin.say("create-tenant", "north")
    return "north"


def test_without_limits_of_its_own_the_settings_hold(admin: Admin, north: str) -> None:
    assert holding(admin, north) == {
        "max_pending_images": ("500000", "setting"),
        "max_pending_tiles": ("no limit", "setting"),
        "max_open_jobs": ("1000", "setting"),
        "max_running_chunks": ("no limit", "setting"),
        "requests_per_minute": ("30000", "setting"),
        "keep_days_results": ("for ever", "setting"),
        "keep_days_originals": ("as long as the job", "setting"),
    }


def test_what_is_named_is_set_and_the_rest_stays(admin: Admin, north: str) -> None:
    admin.say("set-limits", north, "--max-open-jobs", 5, "--keep-days-originals", 90)
    admin.say("set-limits", north, "--max-running-chunks", 4, "--max-open-jobs", 0)
    held = holding(admin, north)
    assert held["keep_days_originals"] == ("90", "tenant")
    assert held["max_running_chunks"] == ("4", "tenant")
    assert held["max_open_jobs"] == ("no limit", "tenant")
    admin.say("set-limits", north, "--max-open-jobs", "default")
    assert holding(admin, north)["max_open_jobs"] == ("1000", "setting")


def test_what_is_used_stands_beside_it(admin: Admin, jobs: Jobs) -> None:
    job_id = jobs.draft(images=7)
    with jobs.database.begin() as session:
        name = session.get_one(Tenant, uuid.UUID(str(jobs.get(job_id).tenant_id))).name
    used = {row[1]: row[4:] for row in admin.rows("show-limits", name)}
    assert (used["max_open_jobs"], used["max_pending_images"], used["requests_per_minute"]) == (["1"], ["7"], ["-"])


def test_all_tenants_are_shown(admin: Admin, north: str) -> None:
    admin.say("create-tenant", "south")
    assert {row[0] for row in admin.rows("show-limits")} == {north, "south"}


@pytest.mark.parametrize("value", ["-1", "many", "1.5", "99999999999", ""])
def test_a_value_that_is_no_number_is_refused(admin: Admin, north: str, value: str) -> None:
    status, _, refused = admin("set-limits", north, f"--max-open-jobs={value}")
    assert status == 1
    assert "--max-open-jobs takes a whole number" in refused


def test_nothing_to_set_is_refused_and_names_what_there_is(admin: Admin, north: str) -> None:
    status, _, refused = admin("set-limits", north)
    assert (status, "--requests-per-minute" in refused) == (1, True)


def test_an_unknown_tenant_is_refused(admin: Admin) -> None:
    for arguments in (("set-limits", "nobody", "--max-open-jobs", 1), ("show-limits", "nobody")):
        status, _, refused = admin(*arguments)
        assert (status, "nobody" in refused) == (1, True)
