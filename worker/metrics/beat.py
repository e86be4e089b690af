"""What beat tells Prometheus."""

from shared.metrics.definition import Program
from shared.metrics.definitions import BEAT_REQUESTS
from shared.metrics.exposition import Exposition, Zeros
from shared.settings import Settings

PUBLISHED, FAILED = "published", "failed"
BEAT_ZEROS: Zeros = {BEAT_REQUESTS: [(PUBLISHED,), (FAILED,)]}


def serve_beat_metrics(settings: Settings) -> Exposition:
    """Answer scrapes from now on, if there is a port for them.

    Raises:
        ConfigurationError: nobody can listen there.
    """
    exposition = Exposition(Program.BEAT, BEAT_ZEROS)
    exposition.serve(settings)
    return exposition
