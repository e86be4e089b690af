"""What is missing is named, and no secret is shown."""

import pytest

from shared.errors import ConfigurationError
from shared.settings import Settings, get_settings

REQUIRED = {
    "PHYTOBATCH_DATABASE_URL": "postgresql+psycopg://app:very-secret@127.0.0.1/app",
    "PHYTOBATCH_REDIS_URL": "redis://:very-secret@127.0.0.1/0",
    "PHYTOBATCH_S3_BUCKET": "bucket",
}


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PHYTOBATCH_{name.upper()}", raising=False)
    get_settings.cache_clear()


def test_missing_variables_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHYTOBATCH_S3_BUCKET", "bucket")
    with pytest.raises(ConfigurationError) as refused:
        get_settings()
    assert "PHYTOBATCH_DATABASE_URL" in str(refused.value)
    assert "PHYTOBATCH_REDIS_URL" in str(refused.value)
    assert "PHYTOBATCH_S3_BUCKET" not in str(refused.value)


def test_a_value_without_sense_is_named_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PHYTOBATCH_CHUNK_IMAGES", "many")
    with pytest.raises(ConfigurationError) as refused:
        get_settings()
    assert "PHYTOBATCH_CHUNK_IMAGES" in str(refused.value)
    assert "very-secret" not in str(refused.value)


def test_secrets_do_not_show_in_a_print(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    assert "very-secret" not in repr(get_settings())


def test_uploads_are_signed_for_the_address_that_clients_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PHYTOBATCH_S3_ENDPOINT_URL", "http://objects:8333")
    assert Settings().presign_endpoint_url == "http://objects:8333"
    monkeypatch.setenv("PHYTOBATCH_S3_PUBLIC_ENDPOINT_URL", "https://objects.example")
    assert Settings().presign_endpoint_url == "https://objects.example"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PHYTOBATCH_DATABASE_URL", "postgresql+psycopg://app:change-this@127.0.0.1/app"),
        ("PHYTOBATCH_REDIS_URL", "redis://:change-this-too@127.0.0.1/0"),
        ("PHYTOBATCH_S3_ACCESS_KEY_ID", "change-this"),
        ("PHYTOBATCH_S3_SECRET_ACCESS_KEY", "change-this"),
        ("PHYTOBATCH_BOOTSTRAP_API_KEY", "change-this"),
    ],
)
def test_no_program_starts_with_a_secret_of_the_example(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, good in {**REQUIRED, name: value}.items():
        monkeypatch.setenv(variable, good)
    with pytest.raises(ConfigurationError) as refused:
        get_settings()
    assert f"{name}: " in str(refused.value)
    assert "python3 -m deploy.compose" in str(refused.value)
    assert value not in str(refused.value)


@pytest.mark.parametrize(
    ("pixel_bytes_in_flight", "decode_threads", "mebibytes"), [(0, 2, 512), (0, 16, 2048), (100 * 1024**2, 16, 100)]
)
def test_the_room_for_pixels_follows_the_threads_unless_it_is_set(
    pixel_bytes_in_flight: int, decode_threads: int, mebibytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PHYTOBATCH_PIXEL_BYTES_IN_FLIGHT", str(pixel_bytes_in_flight))
    monkeypatch.setenv("PHYTOBATCH_DECODE_THREADS", str(decode_threads))
    assert get_settings().pixel_bytes == mebibytes * 1024**2


@pytest.mark.parametrize(
    ("set_to", "decode_threads", "mebibytes"), [(0, 2, 512), (0, 16, 2048), (100 * 1024**2, 16, 100)]
)
def test_the_room_for_decoded_photographs_follows_the_threads_unless_it_is_set(
    set_to: int, decode_threads: int, mebibytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PHYTOBATCH_DECODED_BYTES_IN_FLIGHT", str(set_to))
    monkeypatch.setenv("PHYTOBATCH_DECODE_THREADS", str(decode_threads))
    assert get_settings().decoded_bytes == mebibytes * 1024**2
