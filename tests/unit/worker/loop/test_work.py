"""The order in which a worker offers itself, for slots and for classifiers."""

import threading
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shared.jobs.claims import Offer
from worker.loop.work import WorkLoop

POOLS = ("classify:a", "classify:b", "classify:c")


def test_no_classifier_is_always_the_last_to_be_asked_for_in_any_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many pools as slots: a turn for each slot instead of each look would ask for the same one first for ever."""
    context = SimpleNamespace(settings=SimpleNamespace(worker_slots=2), pipelines=dict.fromkeys(POOLS))
    loop = WorkLoop(cast("Any", context), cast("Any", None), threading.Event())
    asked: list[Sequence[Offer]] = []

    def nothing(offers: Sequence[Offer]) -> None:
        asked.append(offers)

    monkeypatch.setattr(loop, "_claim_and_run", nothing)
    for _ in POOLS:
        assert loop.run_one() is False
    isolated = [offers[0].pool for offers in asked if offers[0].pool.startswith("isolated:")]
    assert sorted(isolated) == ["isolated:a", "isolated:b", "isolated:c"]
    assert len(asked) == 3 * len(POOLS), "what the express slot would take was asked for by the first one"
