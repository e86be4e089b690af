"""No log of any program has a key, a password or a signature in it, whatever happened."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import urllib3

from tests.acceptance.system import System
from tests.patience import PATIENCE_SECONDS

SIGNATURE = "X-Amz-Signature"


def secrets_of(system: System) -> dict[str, str]:
    """Return the texts that nobody may read: the secret part of the key, and every password of the settings."""
    environment = system.environment
    addresses = {name: environment[f"PHYTOBATCH_{name}"] for name in ("DATABASE_URL", "REDIS_URL")}
    passwords = {name: unquote(urlsplit(address).password or "") for name, address in addresses.items()}
    found = {
        **passwords,
        "API key": system.api_key[16:],
        "S3 secret": environment["PHYTOBATCH_S3_SECRET_ACCESS_KEY"],
    }
    assert all(len(secret) > 8 for secret in found.values()), found.keys()
    return found


def test_a_busy_service_writes_no_secret_into_any_log(stack: System, leaf_files: list[Path]) -> None:
    """What succeeds, what is refused and what breaks: each road on which a key or a signature travels."""
    with urllib3.PoolManager(retries=False, timeout=PATIENCE_SECONDS) as pool:
        key = {"X-API-Key": stack.api_key}
        wrong = f"{stack.api_key[:-4]}AAAA"
        job_id = stack.submit(leaf_files[:4])
        stack.wait_for_end(job_id)
        hook = pool.request(
            "POST",
            f"{stack.url}/v1/webhooks",
            headers=key,
            json={"url": "https://farm.example.org/h?token=inmost-token"},
        ).json()
        link = pool.request("GET", f"{stack.url}/v1/jobs/{job_id}/images/1/file", headers=key, redirect=False)
        asked = [
            ("GET", "/v1/jobs", {"X-API-Key": wrong}, b""),
            ("GET", "/v1/jobs", {"Authorization": f"Bearer {wrong}"}, b""),
            ("GET", f"/v1/jobs?key={stack.api_key}", key, b""),
            ("POST", "/v1/jobs", {**key, "Content-Type": "application/json"}, b'{"name": "' + wrong.encode() + b'"'),
            ("POST", "/predict", {**key, "Content-Type": "multipart/form-data"}, b"broken"),
            ("POST", f"/v1/webhooks/{hook['id']}/test", key, b""),
            ("POST", f"/v1/webhooks/{hook['id']}/rotate", key, b""),
        ]
        for method, path, headers, body in asked:
            pool.request(method, f"{stack.url}{path}", headers=headers, body=body)
    stack.start("doctor", "-m", "api.admin", "doctor").wait(PATIENCE_SECONDS)
    stack.start("keys", "-m", "api.admin", "list-keys").wait(PATIENCE_SECONDS)
    secrets = {
        **secrets_of(stack),
        "a wrong key": wrong[16:],
        "webhook secret": hook["secret"],
        "webhook token": "inmost-token",
        "signature": SIGNATURE,
    }
    assert SIGNATURE in link.headers["Location"]
    logs = {log.name: log.read_text(errors="replace") for log in stack.folder.glob("*.log")}
    assert len(logs) >= 6
    assert any(job_id in log for log in logs.values())
    leaks = [(name, what) for name, log in logs.items() for what, secret in secrets.items() if secret in log]
    assert leaks == []
