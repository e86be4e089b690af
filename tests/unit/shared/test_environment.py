"""A variable that is set and empty counts as absent, to us and to the libraries that speak to servers."""

import os
from pathlib import Path

import pytest
from botocore.session import Session

from shared.environment import forget_empty, unreadable_authorities
from shared.settings import Settings, get_settings

REQUIRED = {
    "PHYTOBATCH_DATABASE_URL": "postgresql://u:p@h/n",
    "PHYTOBATCH_REDIS_URL": "redis://h",
    "PHYTOBATCH_S3_BUCKET": "photos",
}


@pytest.fixture(autouse=True)
def _only_these(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PHYTOBATCH_")]:
        monkeypatch.delenv(name)
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()


@pytest.mark.parametrize("empty", ["", "  "])
def test_every_setting_may_be_empty(monkeypatch: pytest.MonkeyPatch, empty: str) -> None:
    plain = Settings()
    for name in Settings.model_fields:
        if (variable := f"PHYTOBATCH_{name.upper()}") not in REQUIRED:
            monkeypatch.setenv(variable, empty)
    assert get_settings() == plain


def test_an_empty_variable_changes_nothing_in_what_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_CA_BUNDLE", "OTEL_EXPORTER_OTLP_CERTIFICATE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, "")
    # What botocore stops at, and what its older versions took for "do not verify".
    assert Session().get_config_variable("ca_bundle") == ""
    get_settings()
    assert Session().get_config_variable("ca_bundle") is None
    assert not {"OTEL_EXPORTER_OTLP_CERTIFICATE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"} & set(os.environ)


def test_what_says_something_by_being_empty_stays() -> None:
    environment = {
        "CUDA_VISIBLE_DEVICES": "",
        "PGSSLMODE": "",
        "HTTPS_PROXY": " ",
        "PHYTOBATCH_LOCAL_DATA": "",
        "A": "",
    }
    forget_empty(environment)
    assert environment == {"CUDA_VISIBLE_DEVICES": "", "A": ""}


def test_authorities_are_a_folder_or_a_file_with_certificates(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    wrong = {"SSL_CERT_FILE": str(tmp_path / "empty.pem"), "AWS_CA_BUNDLE": str(tmp_path / "none.pem")}
    found = unreadable_authorities({**wrong, "REQUESTS_CA_BUNDLE": str(tmp_path)})
    assert [one.partition(":")[0] for one in found] == ["SSL_CERT_FILE", "AWS_CA_BUNDLE"]
