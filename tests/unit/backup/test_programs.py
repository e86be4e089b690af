import pytest
from psycopg.conninfo import conninfo_to_dict

from deploy.backup.errors import CopyFailed
from deploy.backup.folder import BackupFolder
from deploy.backup.programs import Server, _password_file


def test_an_address_is_taken_apart_and_its_password_kept_from_it() -> None:
    server = Server.of("postgresql+psycopg://us%40er:pa%3Ass%5Cword@db.example:6432/name?sslmode=require")
    assert conninfo_to_dict(server.address) == {
        "host": "db.example",
        "port": "6432",
        "user": "us@er",
        "dbname": "name",
        "sslmode": "require",
    }
    assert (server.password or "").split(":") == ["pa", "ss\\word"]
    assert conninfo_to_dict(server.conninfo)["password"] == server.password
    assert "word" not in repr(server)


def test_the_password_file_is_as_libpq_reads_it() -> None:
    with _password_file(Server("host=db", "pa:ss\\word")) as variables, open(variables["PGPASSFILE"]) as file:  # noqa: PTH123
        assert file.read() == "*:*:*:*:pa\\:ss\\\\word\n"
    with _password_file(Server.of("postgresql+psycopg://user@/name")) as variables:
        assert variables == {}


@pytest.mark.parametrize("key", ["", "/a", "a//b", "../a", "a/./b", "a\0b", "a\\b", "a/"])
def test_keys_that_are_no_paths_are_refused(key: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(CopyFailed, match="not ours"):
        BackupFolder(tmp_path_factory.getbasetemp()).file_of(key)
