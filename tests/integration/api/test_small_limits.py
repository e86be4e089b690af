"""Limits that other tests do not reach, with settings that make them small."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.settings import Settings
from tests.integration.conftest import Api, MakeSettings, assert_problem


@pytest.fixture(scope="module")
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings(max_sidecar_bytes=1024, presigned_url_seconds=60)


def test_a_sidecar_that_is_too_large_is_refused_on_both_roads(api: Api) -> None:
    large = b"name,latitude,longitude\n" + b"# nothing\n" * 200
    answer = api.request("PUT", f"/v1/jobs/{api.new_job()}/sidecar", body=large, headers={"Content-Type": "text/csv"})
    assert assert_problem(answer, 413, "body-too-large")["setting"] == "PHYTOBATCH_MAX_SIDECAR_BYTES"
    files = [("files", ("a.jpg", b"a")), ("files", ("images.csv", large))]
    refused = assert_problem(api.request("POST", "/v1/jobs/upload", fields=files), 422, "limit-exceeded")
    assert refused["setting"] == "PHYTOBATCH_MAX_SIDECAR_BYTES"


def test_an_upload_url_is_good_for_as_long_as_the_setting_says(api: Api) -> None:
    (image,) = api.add(api.new_job(), "a.jpg")
    assert parse_qs(urlsplit(image["upload"]["url"]).query)["X-Amz-Expires"] == ["60"]
    assert datetime.fromisoformat(image["upload"]["expires_at"]) <= datetime.now(UTC) + timedelta(seconds=60)
