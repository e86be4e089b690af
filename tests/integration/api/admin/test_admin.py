"""Operator commands, on a real database."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from api.admin.program import main
from deploy.local.servers import LocalServers
from shared.settings import Settings, get_settings
from shared.storage.keys import model_key
from shared.storage.s3 import S3Store
from tests.integration.api.admin.conftest import Admin, set_environment
from tests.integration.conftest import MANIFEST, Api, MakeSettings, Serve


def classifier_folder(at: Path, **overrides: Any) -> Path:  # noqa: ANN401  # fields of a manifest
    at.mkdir()
    (at / "model.keras").write_bytes(b"weights of " + at.name.encode())
    sha256 = hashlib.sha256(b"weights of " + at.name.encode()).hexdigest()
    manifest = {**MANIFEST.model_dump(mode="json"), "sha256": sha256, "name": "leaf-folder", **overrides}
    (at / "manifest.json").write_text(json.dumps(manifest))
    return at


def test_a_new_installation_becomes_usable(
    servers: LocalServers,
    make_settings: MakeSettings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    serve_api: Serve,
    tmp_path: Path,
) -> None:
    url = servers.postgres.database_url(servers.postgres.create_database())
    settings = make_settings(database_url=url, s3_bucket="made-by-admin")
    set_environment(settings, monkeypatch)
    assert main(["create-tenant", "early"]) == 1
    assert "migrate" in capsys.readouterr().err
    for command in (
        ["migrate"],
        ["migrate"],
        ["create-bucket"],
        ["create-bucket"],
        ["register-classifier", str(classifier_folder(tmp_path / "one"))],
        ["create-tenant", "farm", "--weight", "2"],
        ["create-key", "--tenant", "farm", "--name", "laptop", "--scopes", "submit,read"],
    ):
        assert main(command) == 0, capsys.readouterr().err
    key = capsys.readouterr().out.split()[-1]
    with serve_api(settings) as served:
        api: Api = served.with_key(key)
        assert api.get("/readyz").status == 200
        assert api.post("/v1/jobs/upload", fields=[("files", ("a.jpg", b"x"))]).status == 202


def test_without_tables_the_api_is_not_ready(
    servers: LocalServers, make_settings: MakeSettings, serve_api: Serve
) -> None:
    url = servers.postgres.database_url(servers.postgres.create_database())
    with serve_api(make_settings(database_url=url)) as api:
        answer = api.get("/readyz")
    assert answer.status == 503
    assert "migrate" in answer.json()["checks"]["database"]["detail"]


def test_tenants_are_made_listed_and_allowed_to_import(admin: Admin) -> None:
    assert admin("list-tenants")[1].startswith("There are no tenants")
    assert admin("create-tenant", "farm", "--weight", "3", "--allow-s3", "s3://b/north")[0] == 0
    assert admin("create-tenant", "farm") == (1, "", "There is a tenant 'farm' already.")
    status, said, _ = admin("allow-s3", "farm", "s3://b/north/", "s3://c")
    assert (status, said) == (0, "Tenant farm may import from: s3://b/north/, s3://c/")
    assert admin("deny-s3", "farm", "s3://c/") == (0, "Tenant farm may import from: s3://b/north/", "")
    assert "not on the list of farm" in admin("deny-s3", "farm", "s3://c/")[2]
    assert admin("set-weight", "farm", "2") == (0, "Tenant farm has the weight 2 now (before: 3).", "")
    assert admin.rows("list-tenants") == [["farm", "2", "0", "0", "0", "-", "s3://b/north/"]]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (["allow-s3", "nobody", "s3://b"], "no tenant 'nobody'"),
        (["allow-s3", "nobody", "http://b"], "s3://bucket"),
        (["create-tenant", "t", "--weight", "0"], "weight"),
        (["set-weight", "nobody", "2"], "no tenant 'nobody'"),
        (["set-weight", "t", "0"], "weight"),
        (["deny-s3", "nobody", "s3://b"], "no tenant 'nobody'"),
        (["create-key", "--tenant", "nobody", "--name", "n", "--scopes", "read"], "no tenant"),
        (["create-key", "--tenant", "t", "--name", "n", "--scopes", "write"], "admin, read, submit"),
        (["create-key", "--tenant", "t", "--name", "n", "--scopes", "read", "--expires-days", "0"], "days"),
        # In the year 10240 this key, and every list of keys, could not be read again.
        (["create-key", "--tenant", "t", "--name", "n", "--scopes", "read", "--expires-days", "3000000"], "days"),
        (["set-limits", "t", "--keep-days-results", "2147483647"], "36500"),
        (["revoke-key", "nothing"], "no key 'nothing'"),
        (["default-classifier", "nobody", "1"], "no classifier nobody@1"),
        (["register-classifier", "/nowhere"], "cannot be read"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(admin: Admin, command: list[str], reason: str) -> None:
    status, said, refused = admin(*command)
    assert (status, said) == (1, "")
    assert reason in refused
    assert refused.endswith(".")


def test_keys_are_shown_once_and_can_be_revoked(admin: Admin, admin_settings: Settings, serve_api: Serve) -> None:
    admin("create-tenant", "farm")
    key = admin("create-key", "--tenant", "farm", "--name", "n", "--scopes", "read", "--expires-days", "7")[1]
    (row,) = admin.rows("list-keys")
    assert row[:6] == [key[3:15], "farm", "n", "read", "good", "never"]
    with serve_api(admin_settings) as served:
        api = served.with_key(key)
        assert api.get("/v1/jobs").status == 200
        assert key not in admin("list-keys")[1]
        for _ in range(2):
            assert admin("revoke-key", key[3:15])[0] == 0
        assert api.get("/v1/jobs").status == 401
    assert "revoked" in admin("list-keys")[1]


def test_a_classifier_is_registered_once_and_can_become_the_default(admin: Admin, tmp_path: Path) -> None:
    one = classifier_folder(tmp_path / "one", version="1")
    two = classifier_folder(tmp_path / "two", version="2")
    for folder in (one, one, two):
        assert admin("register-classifier", str(folder))[0] == 0
    assert admin("default-classifier", "leaf-folder", "2") == (0, "leaf-folder@2 is the default now.", "")
    assert admin("register-classifier", str(two))[1] == "leaf-folder@2 is registered, and is the default."
    other = classifier_folder(tmp_path / "other", version="1")
    status, _, refused = admin("register-classifier", str(other))
    assert (status, "another version" in refused) == (1, True)


def test_a_classifier_whose_file_was_changed_is_not_registered(admin: Admin, tmp_path: Path) -> None:
    folder = classifier_folder(tmp_path / "changed")
    (folder / "model.keras").write_bytes(b"other weights")
    status, _, refused = admin("register-classifier", str(folder))
    assert (status, "SHA-256" in refused) == (1, True)
    (folder / "manifest.json").write_text("{}")
    assert "is not a manifest: name" in admin("register-classifier", str(folder))[2]


def test_other_weights_never_replace_a_published_version(
    admin: Admin, admin_settings: Settings, tmp_path: Path
) -> None:
    """The registry is asked before the bucket is touched: workers that start again must find what they served."""
    store = S3Store(admin_settings)
    first = classifier_folder(tmp_path / "first", name="published")
    assert admin("publish-classifier", str(first))[0] == 0
    other = classifier_folder(tmp_path / "other", name="published")
    status, _, said = admin("publish-classifier", str(other))
    assert status != 0
    assert "other weights" in said
    kept = store.get(model_key("published", MANIFEST.version, "model.keras"), max_bytes=1000)
    assert kept == (first / "model.keras").read_bytes()


def test_settings_that_are_missing_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "S3_BUCKET"):
        monkeypatch.delenv(f"PHYTOBATCH_{name}", raising=False)
    get_settings.cache_clear()
    assert main(["list-tenants"]) == 1
    assert "PHYTOBATCH_DATABASE_URL" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["unknown"], ["create-key"]])
def test_wrong_usage_has_status_two(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
