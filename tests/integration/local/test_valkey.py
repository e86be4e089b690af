import pytest
import redis

from deploy.local.servers import LocalServers


def connect(servers: LocalServers) -> redis.Redis:
    return redis.Redis.from_url(servers.valkey.url)


def test_it_wants_the_password(servers: LocalServers) -> None:
    with redis.Redis(port=servers.valkey.port) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()


def test_it_never_evicts_and_listens_on_the_loopback_address_alone(servers: LocalServers) -> None:
    with connect(servers) as connection:
        assert connection.config_get("maxmemory-policy", "bind") == {
            "maxmemory-policy": "noeviction",
            "bind": "127.0.0.1",
        }


def test_its_configuration_is_private(servers: LocalServers) -> None:
    assert (servers.valkey.home / "valkey.conf").stat().st_mode & 0o077 == 0


def test_data_survives_kill_9_on_the_same_port(servers: LocalServers) -> None:
    port = servers.valkey.port
    with connect(servers) as connection:
        connection.set("kept", "yes")
        connection.execute_command("WAITAOF", 1, 0, 5000)
    servers.valkey.kill()
    servers.valkey.restart()
    assert servers.valkey.port == port
    with connect(servers) as connection:
        assert connection.get("kept") == b"yes"


def test_it_can_come_back_empty(servers: LocalServers) -> None:
    with connect(servers) as connection:
        connection.set("lost", "soon")
    servers.valkey.restart(empty=True)
    with connect(servers) as connection:
        assert connection.dbsize() == 0


def test_an_orderly_restart_keeps_the_data(servers: LocalServers) -> None:
    with connect(servers) as connection:
        connection.set("kept", "again")
    servers.valkey.restart()
    with connect(servers) as connection:
        assert connection.get("kept") == b"again"
