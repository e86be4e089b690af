"""The result of a photograph that is answered in tiles."""

from typing import Any

from shared.contracts.states import ImageStatus
from shared.jobs.results import NewResult
from shared.tiles.codec import encode
from worker.inference.tiles.answer import TiledAnswer


def tiled_result(seq: int, answer: TiledAnswer, **more: Any) -> NewResult:  # noqa: ANN401  # fields of the result
    """Make the result of image ``seq``, with its map and the sums of it. Undecided is no failure."""
    return NewResult(
        seq=seq,
        status=ImageStatus.SUCCEEDED,
        label=answer.label,
        confidence=answer.confidence,
        needs_review=answer.needs_review,
        review_reason=answer.review_reason,
        tile_sums=answer.sums.as_json(),
        tile_map=encode(answer.map),
        **more,
    )
