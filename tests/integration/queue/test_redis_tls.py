"""A server by TLS hears nothing before its certificate and its name were verified, whoever it is that connects."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from api.admin.doctor.encryption import redis as judged
from api.admin.doctor.subject import Subject
from deploy.local.servers import LocalServers
from shared.settings import Settings
from tests.integration.authority import WITH_OPENSSL, Authority
from tests.integration.conftest import MakeSettings
from tests.integration.queue.redis_users import USERS, celery_alone
from tests.integration.tls_front import TlsFront

pytestmark = WITH_OPENSSL

User = Callable[[Settings], bool]
every_user = pytest.mark.parametrize("user", USERS, ids=lambda user: user.__name__)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("authority"))
    made.make(right="IP:127.0.0.1", other="DNS:redis.example.org")
    return made


@pytest.fixture
def front(servers: LocalServers, authority: Authority, certificate: str) -> Iterator[TlsFront]:
    with TlsFront(servers.valkey.port, authority.server(certificate)) as running:
        yield running


@pytest.fixture
def password(servers: LocalServers) -> str:
    return str(urlsplit(servers.valkey.url).password)


@pytest.fixture
def reach(settings: Settings, front: TlsFront, password: str, make_settings: MakeSettings) -> Callable[[str], Settings]:
    """Settings that lead to the front, with this query."""

    def made(query: str) -> Settings:
        url = f"rediss://:{password}@127.0.0.1:{front.port}/0?{query}"
        prefix = make_settings(database_url=settings.database_url).broker_key_prefix
        return make_settings(database_url=settings.database_url, redis_url=url, broker_key_prefix=prefix)

    return made


Reach = Callable[[str], Settings]


@every_user
@pytest.mark.parametrize("certificate", ["right"])
def test_a_server_of_a_trusted_authority_is_used(
    user: User, reach: Reach, authority: Authority, front: TlsFront
) -> None:
    assert user(reach(f"ssl_ca_certs={authority.file}"))
    assert b"AUTH" in front.heard


@every_user
@pytest.mark.parametrize("certificate", ["right"])
def test_a_server_of_an_unknown_authority_hears_nothing(user: User, reach: Reach, front: TlsFront) -> None:
    assert not user(reach(""))
    assert (front.connections > 0, bytes(front.heard)) == (True, b"")


@every_user
@pytest.mark.parametrize("certificate", ["other"])
def test_a_server_by_another_name_hears_nothing(
    user: User, reach: Reach, authority: Authority, front: TlsFront
) -> None:
    assert not user(reach(f"ssl_ca_certs={authority.file}"))
    assert (front.connections > 0, bytes(front.heard)) == (True, b"")


@pytest.mark.parametrize("certificate", ["other"])
@pytest.mark.parametrize(
    ("query", "said"), [("ssl_cert_reqs=none", "any server"), ("ssl_check_hostname=false", "authorities")]
)
def test_who_turns_it_off_is_told_so(
    query: str, said: str, reach: Reach, authority: Authority, front: TlsFront, password: str
) -> None:
    off = reach(f"{query}&ssl_ca_certs={authority.file}")
    assert celery_alone(off)
    assert password.encode() in front.heard
    (found,) = judged(Subject(off))
    assert (found.level, said in found.said) == ("WARN", True)


@pytest.mark.parametrize("certificate", ["right"])
def test_the_environment_leads_celery_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, reach: Reach, authority: Authority, front: TlsFront, servers: LocalServers
) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", servers.valkey.url)
    assert celery_alone(reach(f"ssl_ca_certs={authority.file}"))
    assert b"AUTH" in front.heard
