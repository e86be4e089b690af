"""The page about limits and the code name the same limits; each has a setting."""

from pathlib import Path

from api.limits.table import SECTIONS, tables
from shared.db.models.access import LIMITS_OF_TENANTS
from shared.settings import Settings

ROOT = Path(__file__).parents[2]
LIMITS = [limit for _, limits in SECTIONS for limit in limits]
# What bounds work inside of the service; no client meets it.
INNER = {"keep_days_history"}


def test_the_tables_of_the_page_are_those_that_the_code_prints() -> None:
    page = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
    assert tables() in page, "run `python -m api.limits` and paste it"


def test_every_setting_that_is_a_limit_stands_in_a_table() -> None:
    settings = {name for name in Settings.model_fields if name.startswith(("max_", "keep_days_"))}
    assert settings - INNER == {limit.setting for limit in LIMITS} & settings


def test_every_limit_of_a_tenant_has_a_setting_of_the_same_name() -> None:
    assert set(LIMITS_OF_TENANTS) <= set(Settings.model_fields)
    assert set(LIMITS_OF_TENANTS) <= {limit.setting for limit in LIMITS}
