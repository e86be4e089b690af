"""Which classifiers a worker serves, and in which order it looks for their work."""

import pytest

from shared.classifiers.named import parse_classifiers
from shared.contracts.states import ChunkKind, Priority
from shared.errors import ConfigurationError
from worker.loop.work import offers_of


def test_a_list_of_classifiers_is_read() -> None:
    assert parse_classifiers("") == []
    assert parse_classifiers(" leaf@1, leaf@2 ,") == [("leaf", "1"), ("leaf", "2")]


@pytest.mark.parametrize("text", ["leaf", "leaf@", "@1", "leaf@1,leaf@1"])
def test_a_list_that_makes_no_sense_names_its_variable(text: str) -> None:
    with pytest.raises(ConfigurationError, match="PHYTOBATCH_CLASSIFIERS"):
        parse_classifiers(text)


def test_an_express_slot_takes_no_bulk_images() -> None:
    express = {(o.pool, o.priority) for o in offers_of(["a", "b"], patient=False)}
    assert ("a", Priority.INTERACTIVE) in express
    assert not {(pool, Priority.BULK) for pool in ("a", "b", ChunkKind.PURGE)} & express


def test_a_patient_slot_takes_everything_what_people_wait_for_first() -> None:
    offers = offers_of(["a", "b"], patient=True)
    pools = [(o.pool, o.priority) for o in offers]
    assert len(set(pools)) == len(pools) == 8
    urgent = [i for i, (_, priority) in enumerate(pools[:3]) if priority is Priority.INTERACTIVE]
    assert urgent == [0, 1, 2]
    assert pools.index(("b", Priority.INTERACTIVE)) < pools.index(("a", Priority.BULK))
