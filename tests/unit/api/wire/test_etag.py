import pytest

from api.wire.etag import etag_of, is_fresh
from shared.db.models import Job


def test_the_tag_is_weak_and_made_of_the_revision() -> None:
    assert etag_of(Job(revision=7)) == 'W/"7"'


def test_moving_up_in_the_queue_changes_the_tag() -> None:
    tags = {etag_of(Job(revision=7), position) for position in (None, 1, 2)}
    assert len(tags) == 3


@pytest.mark.parametrize("given", ['W/"7"', '"7"', '"1", W/"7"', ' W/"7" ,"9"', "*"])
def test_a_client_that_has_it(given: str) -> None:
    assert is_fresh(given, 'W/"7"')


@pytest.mark.parametrize("given", [None, "", '"77"', "7", 'W/"8"', '"1", "2"'])
def test_a_client_that_has_not(given: str | None) -> None:
    assert not is_fresh(given, 'W/"7"')
