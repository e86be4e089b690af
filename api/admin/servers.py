"""Commands that prepare the servers: the tables, the bucket."""

import argparse

from alembic import command
from sqlalchemy.exc import OperationalError

from api.admin.command import Command
from shared.db.schema import alembic_config
from shared.errors import DatabaseUnavailable
from shared.settings import get_settings
from shared.storage.s3 import S3Store


def migrate(_: argparse.Namespace) -> str:
    """Bring the tables to the newest migration; harmless to repeat, also from several places at once."""
    config = alembic_config(get_settings().database_url.get_secret_value())
    try:
        command.upgrade(config, "head")
    except OperationalError as error:
        raise DatabaseUnavailable("the database cannot be reached; check PHYTOBATCH_DATABASE_URL") from error
    return "The tables are up to date."


def create_bucket(_: argparse.Namespace) -> str:
    """Make the bucket for uploads and its CORS rule, if they are missing."""
    settings = get_settings()
    S3Store(settings, connections=1).create_bucket()
    return f"The bucket {settings.s3_bucket} is ready."


COMMANDS = (
    Command("migrate", "bring the tables to the newest version", migrate),
    Command("create-bucket", "make the bucket for uploads", create_bucket),
)
