"""What ``sslmode`` promises is kept before PostgreSQL hears a word, and ``doctor`` says what it does not promise."""

from collections.abc import Callable, Iterator

import pytest
from psycopg import OperationalError
from sqlalchemy import make_url, text

from api.admin.doctor.encryption import database as judged
from api.admin.doctor.subject import Subject
from deploy.backup.database import check_fits
from deploy.backup.errors import BackupError
from deploy.backup.programs import Server
from deploy.local.servers import LocalServers
from shared.db.session import Database
from shared.errors import DatabaseUnavailable
from shared.settings import Settings
from tests.integration.authority import WITH_OPENSSL, Authority
from tests.integration.conftest import MakeSettings
from tests.integration.tls_front import TlsFront

pytestmark = WITH_OPENSSL

Reach = Callable[[str], Settings]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("authority"))
    made.make(right="IP:127.0.0.1", other="DNS:db.example.org")
    return made


@pytest.fixture
def front(servers: LocalServers, authority: Authority, certificate: str) -> Iterator[TlsFront]:
    with TlsFront(servers.postgres.port, authority.server(certificate), postgres=True) as running:
        yield running


@pytest.fixture
def reach(settings: Settings, front: TlsFront, make_settings: MakeSettings) -> Reach:
    """Settings that lead to the front, with this query."""

    def made(query: str) -> Settings:
        url = make_url(settings.database_url.get_secret_value()).set(port=front.port)
        return make_settings(database_url=f"{url.render_as_string(hide_password=False)}?{query}")

    return made


def comes_through(settings: Settings) -> bool:
    database = Database(settings, pool_size=1)
    try:
        with database.begin() as session:
            return bool(session.execute(text("SELECT 1")).scalar_one() == 1)
    except DatabaseUnavailable:
        return False
    finally:
        database.dispose()


def backup_comes_through(settings: Settings) -> bool:
    server = Server.of(settings.database_url.get_secret_value())
    try:
        check_fits(server, None)  # type: ignore[arg-type]  # it stops at the tables
    except BackupError as error:
        return "tables" in str(error)
    except OperationalError:
        return False
    return True


@pytest.mark.parametrize("certificate", ["right"])
def test_a_server_of_a_trusted_authority_is_used(reach: Reach, authority: Authority, front: TlsFront) -> None:
    verified = reach(f"sslmode=verify-full&sslrootcert={authority.file}")
    assert comes_through(verified)
    assert backup_comes_through(verified)
    assert b"phytobatch" in front.heard
    with Subject(verified).at_hand() as subject:
        assert [one.level for one in judged(subject)] == ["OK"]


@pytest.mark.parametrize(("certificate", "roots"), [("right", "{system}"), ("other", "{file}")])
def test_a_server_that_is_not_the_promised_one_hears_nothing(
    reach: Reach, authority: Authority, front: TlsFront, roots: str
) -> None:
    promised = reach(f"sslmode=verify-full&sslrootcert={roots.format(system='system', file=authority.file)}")
    assert not comes_through(promised)
    assert not backup_comes_through(promised)
    assert (front.connections > 0, bytes(front.heard)) == (True, b"")


@pytest.mark.parametrize("certificate", ["other"])
@pytest.mark.parametrize(("query", "said"), [("sslmode=require", "require"), ("sslmode=verify-ca", "verify-ca")])
def test_a_mode_that_promises_less_is_named(
    monkeypatch: pytest.MonkeyPatch, reach: Reach, authority: Authority, query: str, said: str
) -> None:
    monkeypatch.setattr("api.admin.doctor.encryption.is_near", lambda _: False)
    less = reach(f"{query}{f'&sslrootcert={authority.file}' if 'verify' in query else ''}")
    with Subject(less).at_hand() as subject:
        assert [(one.level, said in one.said) for one in judged(subject)] == [("WARN", True)]
