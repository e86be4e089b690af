"""API keys: how they look, how they are stored, how they are made.

A key is ``pb_<12 characters>_<43 characters>``. The first part finds the row; of the whole, only the SHA-256 is
stored. That is enough without salt or stretching, because the key itself is random (256 bits), not chosen by a person.
"""

import hashlib
import re
import secrets
import string
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.contracts import stored
from shared.contracts.states import Scope
from shared.db.base import new_id
from shared.db.models import ApiKey, Tenant
from shared.errors import ConfigurationError, InvalidRequest, NotFound

BOOTSTRAP_VARIABLE = "PHYTOBATCH_BOOTSTRAP_API_KEY"
PREFIX_LENGTH = 12
SECRET_LENGTH = 43  # 62 ** 43 is just above 2 ** 256
PREFIX_ALPHABET = string.ascii_lowercase + string.digits
SECRET_ALPHABET = string.ascii_letters + string.digits
PATTERN = re.compile(rf"pb_([a-z0-9]{{{PREFIX_LENGTH}}})_([A-Za-z0-9]{{{SECRET_LENGTH}}})")


@dataclass(frozen=True, slots=True)
class Key:
    """A whole key, in memory only. ``text`` is the secret and stays out of ``repr``."""

    text: str = field(repr=False)
    prefix: str

    @property
    def digest(self) -> bytes:
        """SHA-256 of the whole key, as it is stored."""
        return hashlib.sha256(self.text.encode()).digest()


def parse(text: str) -> Key | None:
    """Return the key, or ``None`` if the text cannot be one."""
    match = PATTERN.fullmatch(text)
    return None if match is None else Key(text, match.group(1))


def read_bootstrap_key(secret: SecretStr | None) -> Key | None:
    """Read the key of the setting, if it has one.

    Raises:
        ConfigurationError: it is malformed.
    """
    if secret is None:
        return None
    key = parse(secret.get_secret_value())
    if key is None:
        raise ConfigurationError(
            f"{BOOTSTRAP_VARIABLE} is no API key: it must be `pb_`, 12 lower-case letters or digits, `_`, and 43 "
            "letters or digits; make one with `python -m api.admin generate-key`"
        )
    return key


def generate() -> Key:
    """Return a new random key."""
    prefix = "".join(secrets.choice(PREFIX_ALPHABET) for _ in range(PREFIX_LENGTH))
    secret = "".join(secrets.choice(SECRET_ALPHABET) for _ in range(SECRET_LENGTH))
    return Key(f"pb_{prefix}_{secret}", prefix)


def parse_scopes(text: str) -> list[Scope]:
    """Read scopes as operators write them: ``submit,read``.

    Raises:
        InvalidRequest: a word is no scope, or there is none.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    known = {scope.value for scope in Scope}
    if not words or not set(words) <= known:
        raise InvalidRequest(f"scopes are {', '.join(sorted(known))}, separated by commas; got {text!r}")
    return [Scope(word) for word in dict.fromkeys(words)]


def checked_name(text: str) -> str:
    """Check a name from the command line, which may have bytes that are no text.

    Raises:
        InvalidRequest: it cannot be stored.
    """
    try:
        return stored.text(text)
    except ValueError as error:
        raise InvalidRequest(f"the name {stored.words(text)!r} {error}; write it in UTF-8") from error


def tenant_named(session: Session, name: str) -> Tenant:
    """Return a tenant by its name.

    Raises:
        NotFound: there is none.
    """
    tenant = session.scalars(select(Tenant).where(Tenant.name == name)).one_or_none()
    if tenant is None:
        raise NotFound(f"there is no tenant {name!r}; `create-tenant` makes one")
    return tenant


def ensure_tenant(session: Session, name: str) -> Tenant:
    """Return a tenant by its name, made if it is missing; also when several processes do that at once."""
    session.execute(insert(Tenant).values(id=new_id(), name=name).on_conflict_do_nothing(index_elements=[Tenant.name]))
    return tenant_named(session, name)


def store(
    session: Session, tenant_id: uuid.UUID, key: Key, *, name: str, scopes: Iterable[Scope], days: int | None = None
) -> None:
    """Store the digest of a key; nothing happens where its prefix is stored already."""
    session.execute(
        insert(ApiKey)
        .values(
            id=new_id(),
            tenant_id=tenant_id,
            name=name,
            prefix=key.prefix,
            digest=key.digest,
            scopes=[scope.value for scope in scopes],
            expires_at=None if days is None else func.now() + timedelta(days=days),
        )
        .on_conflict_do_nothing(index_elements=[ApiKey.prefix])
    )
