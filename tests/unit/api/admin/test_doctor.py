from typing import Any

import pytest

from api.admin.doctor.clocks import _judge
from api.admin.doctor.database import judge
from api.admin.doctor.secrets import addresses, strength_of_secrets
from api.admin.doctor.subject import Subject
from shared.settings import Settings

LONG = "b7c1e0a95d2f4e6c8a13"


def settings(**overrides: Any) -> Subject:  # noqa: ANN401  # fields of Settings
    given: dict[str, Any] = {
        "database_url": f"postgresql+psycopg://phytobatch:{LONG}@db/phytobatch",
        "redis_url": f"redis://:{LONG}@queue/0",
        "s3_bucket": "phytobatch",
        "s3_access_key_id": "phytobatch-key",
        "s3_secret_access_key": LONG,
        "public_url": "https://phytobatch.example.org",
    }
    return Subject(Settings(**{**given, **overrides}))


def test_long_random_secrets_are_fine() -> None:
    assert [one.level for one in strength_of_secrets(settings())] == ["OK"]


@pytest.mark.parametrize(
    ("overrides", "level", "said"),
    [
        ({"redis_url": "redis://queue/0"}, "WARN", "no password"),
        ({"database_url": "postgresql+psycopg://u@db/n"}, "WARN", "no password"),
        ({"database_url": "postgresql+psycopg://u:Postgres@db/n"}, "FAIL", "tries first"),
        ({"s3_secret_access_key": "minioadmin"}, "FAIL", "tries first"),
        ({"redis_url": "redis://:short%21@queue/0"}, "WARN", "6 characters"),
    ],
)
def test_secrets_that_can_be_guessed_are_noticed(overrides: dict[str, str], level: str, said: str) -> None:
    (one,) = strength_of_secrets(settings(**overrides))
    assert (one.level, said in one.said) == (level, True)
    assert not any(secret in one.said for secret in ("Postgres", "minioadmin", "short"))


def test_addresses_without_tls_are_noticed_except_on_this_machine() -> None:
    assert list(addresses(settings(s3_public_endpoint_url="http://127.0.0.1:9000"))) == []
    names = [one.check for one in addresses(settings(public_url="http://farm.example", s3_endpoint_url="http://s3:1"))]
    assert names == ["PHYTOBATCH_PUBLIC_URL", "PHYTOBATCH_S3_PUBLIC_ENDPOINT_URL"]


@pytest.mark.parametrize(
    ("theirs", "level"),
    [(100.0, "OK"), (99.2, "OK"), (96.0, "OK"), (107.1, "WARN"), (90.0, "WARN"), (400.0, "FAIL"), (-200.0, "FAIL")],
)
def test_clocks_are_judged_by_what_they_are_off_at_least(theirs: float, level: str) -> None:
    assert _judge("clock", theirs, before=100.0, after=101.0, exact=1.0).level == level


@pytest.mark.parametrize(
    ("major", "level", "said"),
    [(14, "FAIL", "too old"), (15, "OK", ""), (18, "OK", ""), (19, "WARN", "newer than any")],
)
def test_versions_of_postgresql_are_those_that_it_was_tried_with(major: int, level: str, said: str) -> None:
    one = judge(f"{major}.2", major)
    assert (one.level, said in one.said, f"PostgreSQL {major}.2" in one.said) == (level, True, True)
