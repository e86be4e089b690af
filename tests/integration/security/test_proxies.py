"""Whose word on the address of a client is believed; on the API as a process, as it is served."""

import pytest
import urllib3

from shared.access import keys
from tests.integration.api.test_process import base_url, start, stop
from tests.integration.conftest import Api, MakeSettings
from tests.patience import PATIENCE_SECONDS

CLAIMED = "203.0.113.9"


@pytest.mark.parametrize(("trusted", "seen"), [("10.0.0.0/8", "127.0.0.1"), ("127.0.0.0/8", CLAIMED)])
def test_only_a_trusted_proxy_may_say_who_the_client_is(make_settings: MakeSettings, trusted: str, seen: str) -> None:
    key = keys.generate().text
    process = start(make_settings(), bootstrap_api_key=key, trusted_proxies=trusted)
    with process, urllib3.PoolManager(timeout=PATIENCE_SECONDS) as pool:
        api = Api(base_url(process), key, pool)
        assert api.get("/v1/jobs", headers={"X-Forwarded-For": CLAIMED}).status == 200
        _, lines = stop(process)
    (line,) = (line for line in lines if line["event"] == "request")
    assert line["client"] == seen
