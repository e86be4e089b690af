"""Where the migrations are, however the program was installed."""

import importlib.util
from pathlib import Path

from alembic.config import Config

from shared.errors import ConfigurationError


def alembic_config(database_url: str | None = None) -> Config:
    """The configuration of Alembic; without an address only the scripts can be read.

    Raises:
        ConfigurationError: the package ``migrations`` is not installed beside this one.
    """
    found = importlib.util.find_spec("migrations")
    if found is None or found.origin is None:
        raise ConfigurationError("the package `migrations` is not installed; install Phytobatch as a whole")
    config = Config(Path(found.origin).with_name("alembic.ini"))
    config.attributes["url"] = database_url
    return config
