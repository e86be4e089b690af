"""A worker's hands, as the tests of the API have them."""

from tests.integration.api.conftest import hands

__all__ = ["hands"]
