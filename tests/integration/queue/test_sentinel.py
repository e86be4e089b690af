"""Redis behind sentinels, real ones: everybody asks them where the master is, with a password of their own."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from deploy.local.ports import LOOPBACK, free_port
from deploy.local.servers import LocalServers
from deploy.local.valkey import valkey_program
from shared.settings import Settings
from tests.integration.authority import WITH_OPENSSL, Authority
from tests.integration.conftest import MakeSettings
from tests.integration.queue.redis_users import USERS
from tests.integration.tls_front import TlsFront
from tests.patience import PATIENCE_SECONDS, wait_for

PASSWORD = "only-for-sentinels"  # noqa: S105  # of a server that lives for this test
CONFIGURATION = """\
bind 127.0.0.1
port {port}
dir "{folder}"
requirepass {password}
sentinel monitor plants 127.0.0.1 {master} 1
sentinel auth-pass plants {auth}
"""


@pytest.fixture(scope="module")
def sentinel(servers: LocalServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a sentinel that watches the Valkey of the session as ``plants``."""
    folder = tmp_path_factory.mktemp("sentinel")
    port = free_port()
    write(folder / "sentinel.conf", port, servers, folder)
    process = subprocess.Popen(
        [valkey_program(), str(folder / "sentinel.conf"), "--sentinel"], stdout=subprocess.DEVNULL, cwd=folder
    )
    try:
        wait_for_sentinel(port)
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def write(file: Path, port: int, servers: LocalServers, folder: Path) -> None:
    auth = urlsplit(servers.valkey.url).password
    text = CONFIGURATION.format(port=port, folder=folder, password=PASSWORD, master=servers.valkey.port, auth=auth)
    file.write_text(text)


def wait_for_sentinel(port: int) -> None:
    with redis.Redis(host=LOOPBACK, port=port, password=PASSWORD) as client:
        wait_for(
            lambda: client.sentinel_masters()["plants"]["num-other-sentinels"],
            lambda others: others == 0,
            not_yet=(redis.ConnectionError,),
        )


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("authority"))
    made.make(sentinel="IP:127.0.0.1")
    return made


@pytest.fixture
def behind(settings: Settings, sentinel: int, servers: LocalServers, make_settings: MakeSettings) -> Settings:
    """The first of two sentinels is away."""
    password = urlsplit(servers.valkey.url).password
    url = (
        f"sentinel://:{password}@127.0.0.1:{free_port()},127.0.0.1:{sentinel}/0"
        f"?master_name=plants&sentinel_password={PASSWORD}"
    )
    return make_settings(database_url=settings.database_url, redis_url=url)


@pytest.mark.parametrize("user", USERS, ids=lambda user: user.__name__)
def test_everybody_finds_the_master(user: Callable[[Settings], bool], behind: Settings) -> None:
    assert user(behind)


@pytest.mark.parametrize("user", USERS, ids=lambda user: user.__name__)
def test_a_master_that_no_sentinel_knows_is_an_outage(user: Callable[[Settings], bool], behind: Settings) -> None:
    unknown = behind.redis_url.get_secret_value().replace("master_name=plants", "master_name=nobody")
    assert not user(Settings(**{**dict(behind), "redis_url": unknown}))


@WITH_OPENSSL
@pytest.mark.parametrize("user", USERS, ids=lambda user: user.__name__)
def test_by_tls_a_sentinel_hears_nothing_before_it_was_verified(
    user: Callable[[Settings], bool], behind: Settings, sentinel: int, authority: Authority
) -> None:
    with TlsFront(sentinel, authority.server("sentinel")) as front:
        url = f"sentinels://:x@127.0.0.1:{front.port}/0?master_name=plants&sentinel_password={PASSWORD}"
        assert not user(Settings(**{**dict(behind), "redis_url": url}))
        assert (front.connections > 0, bytes(front.heard)) == (True, b"")
        # The master that it would name speaks no TLS here, so it is asked for one that it does not know.
        trusted = f"{url.replace('plants', 'nobody')}&ssl_ca_certs={authority.file}"
        assert not user(Settings(**{**dict(behind), "redis_url": trusted}))
        assert PASSWORD.encode() in front.heard
