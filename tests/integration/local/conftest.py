from collections.abc import Iterator

import pytest

from deploy.local.servers import LocalServers


@pytest.fixture(scope="module")
def servers() -> Iterator[LocalServers]:
    with LocalServers.temporary() as running:
        yield running
