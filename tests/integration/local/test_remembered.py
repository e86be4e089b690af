import socket

import pytest

from deploy.local.errors import FolderRefused
from deploy.local.servers import LocalServers


def test_secrets_are_private_and_the_same_at_the_second_start() -> None:
    with LocalServers.temporary(services=["postgres", "valkey"]) as servers:
        first = servers.environment
        assert servers.folder.secrets.stat().st_mode & 0o777 == 0o600
        servers.stop()
        with LocalServers(servers.folder.path, services=["postgres", "valkey"], fast=True) as again:
            assert again.environment == first


def test_a_port_that_somebody_took_meanwhile_is_replaced() -> None:
    with LocalServers.temporary(services=["valkey"]) as servers:
        port = servers.valkey.port
        servers.stop()
        with socket.socket() as thief:
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            thief.bind(("127.0.0.1", port))
            thief.listen()
            with LocalServers(servers.folder.path, services=["valkey"]) as again:
                assert again.valkey.port != port
                moved = again.valkey.port
        with LocalServers(servers.folder.path, services=["valkey"]) as third:
            assert third.valkey.port == moved


def test_data_without_its_secrets_is_refused_with_a_way_out() -> None:
    with LocalServers.temporary(services=["postgres"]) as servers:
        servers.stop()
        servers.folder.secrets.unlink()
        with pytest.raises(FolderRefused, match=r"does not know its password.*clean"):
            LocalServers(servers.folder.path, services=["postgres"], fast=True).start()


def test_two_stacks_run_side_by_side() -> None:
    with LocalServers.temporary() as one, LocalServers.temporary() as other:
        assert {server.port for server in one.all}.isdisjoint(server.port for server in other.all)
