import pytest

from deploy.local.errors import NotPossibleHere
from deploy.local.external import embedded_services, merged

S3 = {
    "PHYTOBATCH_S3_ENDPOINT_URL": "https://s3.example.org",
    "PHYTOBATCH_S3_BUCKET": "leaves",
    "PHYTOBATCH_S3_ACCESS_KEY_ID": "id",
    "PHYTOBATCH_S3_SECRET_ACCESS_KEY": "secret",
}


@pytest.mark.parametrize(
    ("environment", "embedded"),
    [
        ({}, ("postgres", "valkey", "objects")),
        ({"PHYTOBATCH_DATABASE_URL": "x"}, ("valkey", "objects")),
        ({"PHYTOBATCH_REDIS_URL": "x"}, ("postgres", "objects")),
        (S3, ("postgres", "valkey")),
        ({"PHYTOBATCH_DATABASE_URL": ""}, ("postgres", "valkey", "objects")),
        ({"PHYTOBATCH_S3_BUCKET": "leaves"}, ("postgres", "valkey", "objects")),
    ],
)
def test_what_the_user_brings_is_not_embedded(environment: dict[str, str], embedded: tuple[str, ...]) -> None:
    assert embedded_services(environment) == embedded


@pytest.mark.parametrize("missing", list(S3)[1:])
def test_half_of_an_s3_server_is_refused_by_name(missing: str) -> None:
    with pytest.raises(NotPossibleHere, match=missing):
        embedded_services({name: value for name, value in S3.items() if name != missing})


def test_nothing_of_another_s3_server_meets_the_embedded_one() -> None:
    user = {"PATH": "/bin", "PHYTOBATCH_S3_PUBLIC_ENDPOINT_URL": "https://s3.example.org"}
    assert merged(user, {"PHYTOBATCH_S3_BUCKET": "b"}) == {"PATH": "/bin", "PHYTOBATCH_S3_BUCKET": "b"}
    assert merged(user | S3, {"PHYTOBATCH_REDIS_URL": "r"}) == user | S3 | {"PHYTOBATCH_REDIS_URL": "r"}
