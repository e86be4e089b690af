"""The metrics of the API, on their own port."""

from api.metrics.backlog import Backlog
from api.services import Services
from shared.db.session import Database
from shared.metrics.definition import Program
from shared.metrics.definitions import HTTP_WAITING_CLIENTS
from shared.metrics.exposition import Exposition
from shared.metrics.readings import Readings, number


class ApiMetrics:
    """What this process shows; ``close`` it at the end."""

    def __init__(self, services: Services) -> None:
        """Answer scrapes from now on, if there is a port for them.

        Raises:
            ConfigurationError: nobody can listen there.
        """
        self._exposition = Exposition(Program.API)
        self._database = Database(services.settings, pool_size=1, application="phytobatch-api-metrics")
        self._exposition.show(Readings({HTTP_WAITING_CLIENTS: number(lambda: services.hub.watching)}))
        self._exposition.show(Backlog(self._database))
        self._exposition.serve(services.settings)

    def close(self) -> None:
        """Answer no more."""
        self._exposition.close()
        self._database.dispose()
