"""Fixtures of the webhooks over HTTP."""

import uuid

import pytest

from shared.contracts.states import Scope
from shared.db.session import Database
from tests.integration.conftest import Api, MakeKey
from tests.integration.webhooks.hooks import Hooks


@pytest.fixture
def hooks(anonymous: Api, make_key: MakeKey, tenant_id: uuid.UUID, database: Database) -> Hooks:
    """A new tenant with a key of the scope `admin`."""
    return Hooks(anonymous.with_key(make_key(tenant_id, Scope.ADMIN)), tenant_id, database)


@pytest.fixture
def others(anonymous: Api, make_key: MakeKey, database: Database) -> Hooks:
    """Another tenant. (Its id is not needed.)"""
    return Hooks(anonymous.with_key(make_key(None, Scope.ADMIN)), uuid.UUID(int=0), database)
