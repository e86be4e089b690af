"""The comparison of a database's schema with the migrations of this program."""

import importlib.util
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from shared.db.session import Database
from shared.errors import ConfigurationError, PhytobatchError


def alembic_config(database_url: str | None = None) -> Config:
    """Return the configuration of Alembic; without an address only the scripts can be read.

    Raises:
        ConfigurationError: the package ``migrations`` is not installed with this one.
    """
    spec = importlib.util.find_spec("migrations")
    if spec is None or spec.origin is None:
        raise ConfigurationError("the package `migrations` is not installed; Phytobatch runs as a whole")
    config = Config(Path(spec.origin).with_name("alembic.ini"))
    config.attributes["url"] = database_url
    return config


class Schema:
    """A comparison of the migration of a database with those of this program."""

    def __init__(self, config: Config | None = None) -> None:
        scripts = ScriptDirectory.from_config(config or alembic_config())
        self.head = scripts.get_current_head()
        self._known = {script.revision for script in scripts.walk_revisions()}

    def fault(self, database: Database) -> str | None:
        """Return a sentence if the database is away or behind, else None.

        One that is ahead is fine: a newer program migrated it (decision 7).
        """
        try:
            with database.begin() as session:
                stored = session.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
        except ProgrammingError:
            stored = None
        except PhytobatchError as error:
            return str(error)
        if stored == self.head or (stored is not None and stored not in self._known):
            return None
        return "the tables are missing or old; run `python -m api.admin migrate`"
