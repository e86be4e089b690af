"""The first API key, from the environment, so that a fresh installation can be used without a shell in it."""

import hmac
import threading

import structlog
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from shared.access import keys
from shared.contracts.states import Scope
from shared.db.models import ApiKey
from shared.db.session import Database
from shared.errors import ConfigurationError, DatabaseUnavailable

log = structlog.get_logger()

TENANT = "default"
KEY_NAME = "bootstrap"
PATIENCE_SECONDS = 5.0
RETRY_SECONDS = 3.0


def ensure_key(database: Database, secret: SecretStr | None) -> None:
    """Store the bootstrap key, if there is one. While Postgres is away the API starts, and a thread tries again.

    Raises:
        ConfigurationError: the key is malformed or belongs to another secret already, or the tables are missing.
    """
    key = keys.read_bootstrap_key(secret)
    if key is None:
        return
    try:
        _make(database, key, patience_seconds=PATIENCE_SECONDS)
    except DatabaseUnavailable:
        log.warning("bootstrap_key_waits_for_database")
        threading.Thread(target=_keep_trying, args=(database, key), name="bootstrap-key", daemon=True).start()


def _keep_trying(database: Database, key: keys.Key) -> None:
    pause = threading.Event()
    while not pause.wait(RETRY_SECONDS):
        try:
            _make(database, key, patience_seconds=0)
        except DatabaseUnavailable:
            continue
        except ConfigurationError as error:
            log.error("bootstrap_key_failed", reason=str(error))  # noqa: TRY400  # the sentence is all there is
        return


def _make(database: Database, key: keys.Key, *, patience_seconds: float) -> None:
    def work(session: Session) -> bool:
        tenant = keys.ensure_tenant(session, TENANT)
        keys.store(session, tenant.id, key, name=KEY_NAME, scopes=[Scope.ADMIN])
        stored = session.scalars(select(ApiKey.digest).where(ApiKey.prefix == key.prefix)).one()
        return hmac.compare_digest(stored, key.digest)

    try:
        same = database.run(work, patience_seconds=patience_seconds)
    except ProgrammingError as error:
        raise ConfigurationError(
            "the database has no tables of ours, or old ones; run `python -m api.admin migrate` first"
        ) from error
    if not same:
        raise ConfigurationError(
            f"{keys.BOOTSTRAP_VARIABLE} begins like a key that exists with another secret ({key.prefix}); choose "
            "another key"
        )
    log.info("bootstrap_key_ready", prefix=key.prefix, tenant=TENANT)
