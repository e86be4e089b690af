"""The lines that ``python -m worker.inference`` prints: a table for people, JSON for programs."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from shared.contracts.explanations import cells_of
from worker.inference.items import Outcome
from worker.inference.tiles.answer import TiledAnswer

Writer = Callable[[str, Outcome], str]
HEADING = f"{'label':<20} {'confidence':>10}  file"
TILED_HEADING = f"{'label':<20} {'of tiles':>10}  {'counted':>14}  file"
NOTHING = "-"


def json_line(name: str, outcome: Outcome, labels: Sequence[str]) -> str:
    """Return the outcome of a file as one line of JSON; ``labels`` are the class ids of the classifier.

    It is ASCII, so it stays JSON in every encoding of a terminal.
    """
    answer, error, whole = outcome.interpretation or outcome.answer, outcome.error, outcome.interpretation
    return json.dumps(
        {
            "file": name,
            "status": outcome.status,
            "label": answer.label if answer else None,
            "confidence": answer.confidence if answer else None,
            "probabilities": whole.probabilities if whole else None,
            "needs_review": answer.needs_review if answer else None,
            "review_reason": answer.review_reason if answer else None,
            "crop": whole.crop if whole else None,
            "error": {"code": error.code, "detail": error.detail} if error else None,
            "explanation": cells_of(whole.explanation.packed) if whole and whole.explanation else None,
            "place": _place(outcome),
            "tiles": _tiles(outcome.answer, labels) if outcome.answer else None,
        },
    )


def table_line(name: str, outcome: Outcome) -> str:
    """Return the line of a file that was answered as a whole, or that failed."""
    answer = outcome.interpretation
    if answer is None:
        return _failed(name, outcome, 10)
    return f"{answer.label:<20} {answer.confidence:>10.1%}  {name}{_review(answer.review_reason)}"


def tiled_line(name: str, outcome: Outcome) -> str:
    """Return the line of a file that was answered in tiles, or that failed: label, its share, and what counts."""
    answer = outcome.answer
    if answer is None:
        return _failed(name, outcome, 26)
    sums, label = answer.sums, answer.label
    share = f"{sums.labels.get(label, 0) / sums.counted:.1%}" if label else ""
    counted = f"{sums.counted} of {sums.total}"
    return f"{label or NOTHING:<20} {share:>10}  {counted:>14}  {name}{_review(answer.review_reason)}"


def _failed(name: str, outcome: Outcome, width: int) -> str:
    reason = outcome.error.detail if outcome.error else ""
    return f"{NOTHING:<20} {'':>{width}}  {name}: {reason}"


def _review(reason: str | None) -> str:
    return f"  (please look yourself: {reason})" if reason else ""


def _place(outcome: Outcome) -> dict[str, object] | None:
    if outcome.place is None:
        return None
    place = asdict(outcome.place)
    taken = outcome.place.captured_at
    return place | {"captured_at": None if taken is None else taken.isoformat()}


def _tiles(answer: TiledAnswer, labels: Sequence[str]) -> dict[str, Any]:
    """Return the map, rows first."""
    grid, tiles = answer.map.grid, list(answer.map)
    columns: dict[str, list[Any]] = {
        "labels": [None if tile.label is None else labels[tile.label] for tile in tiles],
        "confidence": [tile.confidence for tile in tiles],
        "review": [tile.review for tile in tiles],
        "skipped": [tile.skipped for tile in tiles],
    }
    rows = range(0, grid.tiles, grid.columns)
    by_row = {name: [values[row : row + grid.columns] for row in rows] for name, values in columns.items()}
    return {"x": grid.x, "y": grid.y, "edge": grid.edge, **by_row}
