"""The metrics of the API, on their own port."""

from collections.abc import Iterable

from fastapi import APIRouter

from api.metrics.backlog import Backlog
from api.metrics.zeros import api_zeros
from api.services import Services
from shared.db.session import Database
from shared.metrics.definition import Program
from shared.metrics.definitions import HTTP_WAITING_CLIENTS
from shared.metrics.exposition import Exposition
from shared.metrics.readings import Readings, number


class ApiMetrics:
    """The metrics of this process; ``close`` them at the end."""

    def __init__(self, services: Services, routers: Iterable[APIRouter]) -> None:
        """Answer scrapes from now on, if there is a port for them.

        Args:
            services: of this process.
            routers: whose requests are counted.

        Raises:
            ConfigurationError: nobody can listen there.
        """
        self._exposition = Exposition(Program.API, api_zeros(routers))
        self._database = Database(services.settings, pool_size=1, application="phytobatch-api-metrics")
        self._exposition.show(Readings({HTTP_WAITING_CLIENTS: number(lambda: services.waiting.held)}))
        self._exposition.show(Backlog(self._database, tenants=services.settings.metrics_tenants))
        self._exposition.serve(services.settings)

    def close(self) -> None:
        """Stop answering scrapes."""
        self._exposition.close()
        self._database.dispose()
