"""Addresses as clouds hand them out are read where their meaning is clear; of others a sentence names the variable."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from shared.addresses.parts import AddressError
from shared.addresses.postgres import libpq_parameters, read_postgres
from shared.addresses.redis import Sentinels, Tls, read_redis
from shared.addresses.store import read_public_store, read_store
from shared.environment import AUTHORITIES
from shared.errors import ConfigurationError
from shared.settings import get_settings

CASES = Path(__file__).parents[5] / "shared" / "cases" / "bad_addresses.env"
GOOD = {
    "PHYTOBATCH_DATABASE_URL": "postgresql://u:p@h/n",
    "PHYTOBATCH_REDIS_URL": "redis://h",
    "PHYTOBATCH_S3_BUCKET": "photos",
}
SECRET = "k7xq"  # noqa: S105  # short: a piece of it would be noticed, too
ANY = settings(deadline=None, max_examples=150)


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith("PHYTOBATCH_")]:
        monkeypatch.delenv(name)
    for name in AUTHORITIES:  # of this machine: they are read each time, and mean nothing here
        monkeypatch.delenv(name, raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


@pytest.mark.parametrize(
    ("text", "libpq"),
    [
        ("postgres://u:p@h:1/n", {"host": "h", "port": "1", "user": "u", "password": "p", "dbname": "n"}),
        ("postgresql+psycopg2://u:p@h/n", {"host": "h", "user": "u", "password": "p", "dbname": "n"}),
        ("postgresql+asyncpg://h/n?ssl=require", {"host": "h", "dbname": "n", "sslmode": "require"}),
        ("postgres://h/n?sslmode=no-verify&pgbouncer=true", {"host": "h", "dbname": "n", "sslmode": "require"}),
        ("postgres://h/n?options=endpoint%3Dx", {"host": "h", "dbname": "n", "options": "endpoint=x"}),
        ("postgres://[2001:db8::1]:5/n", {"host": "2001:db8::1", "port": "5", "dbname": "n"}),
        ("postgres://a:1,b:2/n", {"host": "a,b", "port": "1,2", "dbname": "n"}),
        ("postgres://u@localhost/n?host=/cloudsql/a:b:c", {"host": "/cloudsql/a:b:c", "user": "u", "dbname": "n"}),
        ("postgres://u:p%ss@word@h/n\n", {"host": "h", "user": "u", "password": "p%ss@word", "dbname": "n"}),
    ],
)
def test_postgres_is_read(text: str, libpq: dict[str, str]) -> None:
    url = read_postgres(text).render_as_string(hide_password=False)
    assert url.startswith("postgresql+psycopg://")
    assert libpq_parameters(url) == libpq
    assert read_postgres(url).render_as_string(hide_password=False) == url


def test_a_verified_name_needs_no_file_because_the_system_has_one() -> None:
    found = libpq_parameters(read_postgres("postgres://h/n?sslmode=verify-full").render_as_string())
    assert found == libpq_parameters(read_postgres("postgres://h/n?sslrootcert=system").render_as_string())
    assert Path(found["sslrootcert"]).is_file()


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("valkeys://default:p@h:1", "rediss://default:p@h:1/0"),
        ("redis://:p@ss@h/?db=3", "redis://:p%40ss@h:6379/3"),
        ("redis://[::1]", "redis://[::1]:6379/0"),
        ("redis://:@h/0?family=0", "redis://h:6379/0"),
        ("rediss://h?ssl_cert_reqs=CERT_REQUIRED", "rediss://h:6379/0"),
        ("sentinel://:p@a;sentinel://:p@b:1/2?master_name=m", "sentinel://:p@a:26379,b:1/2?master_name=m"),
        ("rediss+sentinel://a,b/plants/1", "sentinels://a:26379,b:26379/1?master_name=plants"),
    ],
)
def test_redis_is_read(text: str, same: str) -> None:
    assert read_redis(text).text == same
    assert read_redis(same) == read_redis(text)


def test_tls_is_verified_unless_it_is_said_otherwise() -> None:
    assert read_redis("redis://h").tls is None
    assert read_redis("rediss://h").tls == Tls(verify=True, check_name=True)
    assert read_redis("rediss://h?ssl_cert_reqs=none").tls == Tls(verify=False, check_name=False)
    sentinels = read_redis("sentinels://u:p@a/0?master_name=m&sentinel_username=s&sentinel_password=t")
    assert (sentinels.tls, sentinels.sentinels) == (Tls(), Sentinels("m", "s", "t"))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("http://minio:9000/", "http://minio:9000"),
        ("https://account.r2.cloudflarestorage.com/photos", "https://account.r2.cloudflarestorage.com"),
        ("https://x.supabase.co/storage/v1/s3/", "https://x.supabase.co/storage/v1/s3"),
        ("https://s3.eu-central-1.amazonaws.com", None),
        ("https://photos.s3.eu-central-1.amazonaws.com/", None),
        ("https://s3.amazonaws.com", None),
        ("https://bucket.vpce-1a2b.s3.eu-central-1.vpce.amazonaws.com",) * 2,
    ],
)
def test_a_store_is_read(text: str, address: str | None) -> None:
    assert read_store(text, "photos", "eu-central-1") == address


def test_a_public_address_at_amazon_stands_beside_an_inner_one() -> None:
    public = "https://s3.eu-central-1.amazonaws.com"
    assert read_public_store(public, "photos", "eu-central-1", "https://inside.example") == public
    assert read_public_store(public, "photos", "eu-central-1", None) is None


DATABASE, REDIS, STORE = "PHYTOBATCH_DATABASE_URL", "PHYTOBATCH_REDIS_URL", "PHYTOBATCH_S3_ENDPOINT_URL"
BAD = (
    (DATABASE, f"postgres://u:{SECRET}@h", "no name of a database"),
    (DATABASE, f"postgres://u:{SECRET}#@h/n", "%23"),
    (DATABASE, f"postgres://u:{SECRET}/@h/n", "%2F"),
    (DATABASE, f"postgres://u:{SECRET}\t@h/n", "control character"),
    (DATABASE, f"postgres://u:{SECRET}@ h/n", "no host"),
    (DATABASE, f"postgres://u:{SECRET}@h/n?sslmode=encrypted", "sslmode"),
    (DATABASE, f"postgres://u:{SECRET}@h/n?sslmode=verify-ca", "sslrootcert"),
    (DATABASE, f"postgres://u:{SECRET}@h/n?connect_timeout=10s", "connect_timeout"),
    (DATABASE, f"postgres://u:{SECRET}@h/n?keepalives_idle=1e3", "keepalives_idle"),
    (DATABASE, f"postgres://u:{SECRET}@h/n?target_session_attrs=writable", "target_session_attrs"),
    (DATABASE, f"postgres://u:{SECRET}@h/n?sslrootcert=/no/such/file", "/no/such/file"),
    (DATABASE, f"postgres://u:{SECRET}@h/n?sslrootcert=/etc/hostname", "/etc/hostname"),
    (DATABASE, f"postgres://u:{SECRET}@h/n?ssl_mode=require", "ssl_mode"),
    (DATABASE, f"postgres://u:{SECRET}@h:port/n", "port"),
    (DATABASE, f"postgres://u:{SECRET}@h/n?connect_timeout=soon", "whole number"),
    (DATABASE, f"postgres://u:{SECRET}@h/n?target_session_attrs=writer", "read-write"),
    (DATABASE, f"postgres://u:{SECRET}@h/n?gssencmode=no", "disable"),
    (DATABASE, f"postgres://u:{SECRET}@h/n?client_encoding=latin1", "utf8"),
    (DATABASE, f"postgres://u:{SECRET}@h/n?service=plants", "service"),
    (DATABASE, f"host=h user=u password={SECRET}", "postgresql://"),
    (DATABASE, f"jdbc:postgresql://h/n?user=u&password={SECRET}", "jdbc:postgresql://"),
    (DATABASE, f"mysql://u:{SECRET}@h/n", "mysql://"),
    (DATABASE, f'"postgres://u:{SECRET}@h/n"', "quotation marks"),
    (REDIS, "127.0.0.1:6379", "redis://"),
    (REDIS, f"h:6380,password={SECRET},ssl=True", "redis://"),
    (REDIS, f"redis://:{SECRET}#@127.0.0.1:6379/0", "%23"),
    (REDIS, f"redis://:{SECRET}?@127.0.0.1:6379/0", "%3F"),
    (REDIS, f"redis://:{SECRET}@h:6379/zero", "number of a database"),
    (REDIS, f"redis://:{SECRET}@::1:6379/0", "brackets"),
    (REDIS, f"redis://:{SECRET}@h?ssl_cert_reqs=none", "rediss://"),
    (REDIS, f"rediss://:{SECRET}@h?ssl_cert_reqs=perhaps", "required or none"),
    (REDIS, f"rediss://:{SECRET}@h?ssl_ca_certs=/no/such/file", "/no/such/file"),
    (REDIS, f"redis://{SECRET}@h", ":password@"),
    (REDIS, f"redis://:{SECRET}@a,b", "sentinel://"),
    (REDIS, f"sentinel://:{SECRET}@h:26379", "master_name"),
    (REDIS, f"unix:///{SECRET}", "unix://"),
    (STORE, "minio:9000", "http://"),
    (STORE, f"https://key:{SECRET}@h", "password"),
    (STORE, "http://my_store:9000", "boto3"),
    (STORE, "https://photos.fra1.digitaloceanspaces.com", "begins with the bucket"),
    (STORE, "https://s3.eu-central-1.amazonaws.com", "PHYTOBATCH_S3_REGION"),
    ("PHYTOBATCH_PUBLIC_URL", "phytobatch.example.org", "https://"),
    ("PHYTOBATCH_TRACES_ENDPOINT", "collector:4318", "http://"),
    ("PHYTOBATCH_S3_PUBLIC_ENDPOINT_URL", "//objects.example.org", "http://"),
)


@pytest.mark.parametrize(("variable", "value", "said"), BAD)
def test_what_cannot_be_read_is_one_sentence_that_names_the_variable_and_no_secret(
    variable: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError) as refused:
        get_settings()
    _, sentence = str(refused.value).split("\n")
    assert sentence.startswith(f"  {variable}: ")
    assert said in sentence
    assert SECRET not in sentence


@pytest.mark.skipif(not CASES.exists(), reason="the cases of the operators are not here")
def test_the_cases_of_the_operators_stop_a_program_or_mean_what_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    for line in CASES.read_text(encoding="utf-8").splitlines():
        variable, _, value = line.partition("=")
        with monkeypatch.context() as patch:
            patch.setenv(variable, value)
            get_settings.cache_clear()
            if value.startswith("postgres://"):
                assert make_url(get_settings().database_url.get_secret_value()).database == "db"
                continue
            with pytest.raises(ConfigurationError, match=variable):
                get_settings()


TEXT = st.text(st.characters(exclude_characters="\x00", codec="utf-8"), min_size=1, max_size=12)
READERS: dict[str, Callable[[str], object]] = {
    "postgres": read_postgres,
    "redis": read_redis,
    "store": lambda text: read_store(text, "photos", "us-east-1"),
}
SHAPES = (
    "{}",
    "{}://{}",
    "redis://:{}@h/0",
    "rediss://u:{}@{}?{}",
    "postgres://u:{}@{}/n?{}",
    "sentinel://{};{}",
    "http://{}/{}",
)


def refusal(reader: str, text: str) -> str:
    """The sentence about an address; nothing where it is read."""
    try:
        READERS[reader](text)
    except AddressError as error:
        return str(error)
    return ""


@ANY
@given(st.sampled_from(sorted(READERS)), st.sampled_from(SHAPES), st.lists(TEXT, min_size=3, max_size=3))
def test_whatever_is_written_is_read_or_refused_with_a_sentence(reader: str, shape: str, words: list[str]) -> None:
    assert "\n" not in refusal(reader, shape.format(*words))


@ANY
@given(password=TEXT, user=TEXT)
def test_an_escaped_password_is_the_one_that_was_meant(password: str, user: str) -> None:
    def escaped(text: str) -> str:
        return "".join(f"%{byte:02X}" for byte in text.encode())

    address = f"{escaped(user)}:{escaped(password)}@h"
    found = read_redis(read_redis(f"rediss://{address}/0").text)
    assert (found.username, found.password) == (user, password)
    url = read_postgres(f"postgres://{address}/n").render_as_string(hide_password=False)
    assert read_postgres(url).render_as_string(hide_password=False) == url
    libpq = libpq_parameters(url)
    assert (libpq["user"], libpq["password"]) == (user, password)


@ANY
@given(st.text(st.sampled_from("#/?@: %[]\\'\"&=;,<>{}"), max_size=4), st.sampled_from(["postgres", "redis"]))
def test_a_password_that_nobody_escaped_is_never_repeated(junk: str, reader: str) -> None:
    assert SECRET not in refusal(reader, f"{reader}://u:{SECRET}{junk}{SECRET}@h:1/0")
