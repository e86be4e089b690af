"""Jobs of the API's tests."""

from tests.integration.api.conftest import committed, drafted, hands

__all__ = ["committed", "drafted", "hands"]
