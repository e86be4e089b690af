"""The cost of 1,000 images, part by part, at the prices of the inputs."""

from tests.benchmarks.capacity.arrivals import HOUR
from tests.benchmarks.capacity.inputs import Inputs
from tests.benchmarks.capacity.needs import DAYS_OF_MONTH, LEAST_PROCESSORS, THOUSAND, Needs
from tests.benchmarks.capacity.plan import Plan

DAY_HOURS = 24


def money_per_1000(inputs: Inputs, made: Plan, needs: Needs) -> dict[str, float]:
    """US dollars for 1,000 images, by part, when as much is kept as the days of retention say."""
    a_day = {
        "workers": made.outcome.worker_seconds / HOUR * made.kind.price_per_hour,
        "PostgreSQL": _postgres(inputs, needs),
        "API, Redis, webhooks": _programs(inputs, needs) * DAY_HOURS * inputs.prices.processor_hour,
        "S3 requests": _requests(inputs, needs),
        "S3 storage": needs.objects.gb_kept * inputs.prices.stored_gb_month / DAYS_OF_MONTH,
        "results to the internet": needs.results_gb_a_day * inputs.prices.egress_gb,
    }
    return {part: dollars / made.images * THOUSAND for part, dollars in a_day.items()}


def _postgres(inputs: Inputs, needs: Needs) -> float:
    prices = inputs.prices
    processors = needs.postgres.processors * DAY_HOURS * prices.postgres_processor_hour
    return processors + needs.postgres.gb_kept * prices.postgres_gb_month / DAYS_OF_MONTH


def _programs(inputs: Inputs, needs: Needs) -> int:
    """Processors of the API (two programs at least), and two more for each of Redis and beat with the deliverers."""
    return max(needs.api_processors, inputs.connections.api_replicas) + 2 * LEAST_PROCESSORS


def _requests(inputs: Inputs, needs: Needs) -> float:
    objects, prices = needs.objects, inputs.prices
    return ((objects.puts + objects.lists) * prices.put_per_1000 + objects.gets * prices.get_per_1000) / THOUSAND
