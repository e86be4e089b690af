"""A server that does as told, and a client of it that counts its pauses instead of making them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from phytobatch import Phytobatch, RetryPolicy
from tests.unit.client.waiting.scripted import Scripted, scripted


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted() as running:
        yield running


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def client(server: Scripted, pauses: list[float]) -> Iterator[Phytobatch]:
    with Phytobatch(server.url, "pb_key") as connected:
        yield connected.with_retry(RetryPolicy(total_seconds=100, random=lambda: 0.0), sleep=pauses.append)
