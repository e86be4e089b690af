"""Every port of every server of the local stack asks for a key. All programs are in one place there: loopback."""

from concurrent.futures import ThreadPoolExecutor

from deploy.local.objects import GRPC_OFFSET, PARTS
from deploy.local.servers import LocalServers
from deploy.mutual_tls import CERTIFICATE, KEY, SETTINGS
from tests.integration.security.open_store import OpenServer, listening
from tests.integration.security.unkeyed import shown


def everything(ports: list[int]) -> dict[int, list[str]]:
    with ThreadPoolExecutor(len(ports)) as pool:
        return dict(zip(ports, pool.map(lambda port: shown("127.0.0.1", port), ports), strict=True))


def test_no_port_of_a_server_answers_without_a_key(servers: LocalServers) -> None:
    ports = {port: server.name for server in servers.all for port in listening(server)}
    assert {servers.postgres.port, servers.valkey.port, servers.objects.port} <= set(ports)
    assert len([name for name in ports.values() if name == "objects"]) == 2 * len(PARTS)
    assert {f"{ports[port]} {port}": said for port, said in everything(sorted(ports)).items() if said} == {}


def test_a_store_as_it_comes_would_be_noticed(open_store: OpenServer) -> None:
    found = everything(listening(open_store))
    silent = {port - open_store.port for port, said in found.items() if not said}
    assert silent == {0}, "all but S3 show something"
    assert any("gRPC" in said for said in found[open_store.port + GRPC_OFFSET])


def test_the_certificate_of_the_store_is_for_its_owner_alone(servers: LocalServers) -> None:
    files = [servers.objects.home / name for name in (CERTIFICATE, KEY, SETTINGS)]
    assert [path.name for path in files if path.stat().st_mode & 0o077] == []
