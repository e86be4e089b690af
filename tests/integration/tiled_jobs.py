"""Answers by tiles: of a map by the rule of the worker, or put in place of those of a finished job."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert

from shared.contracts.manifest import ReviewReason
from shared.contracts.tiles import TileSkip
from shared.db.models import Job, Result, TileMapRow
from shared.db.session import Database
from shared.jobs.results import NewResult
from shared.tiles.codec import encode
from shared.tiles.grid import lay_grid
from shared.tiles.tile_map import Tile, TileMap, sum_up
from tests.integration.conftest import LABELS, MANIFEST
from worker.inference.tiles.answer import answer_of
from worker.jobs.tiled_result import tiled_result

EDGE = 100  # pixels

HEALTHY, MILDEW, RUST = (Tile(number, 0.75) for number in range(3))
ROAD = Tile(2, 0.5, ReviewReason.NOT_A_LEAF)
COARSE = Tile(skipped=TileSkip.TOO_COARSE)


@dataclass(frozen=True, slots=True)
class Answer:
    """A photograph's own answer, and those of its tiles, in one row."""

    tiles: Sequence[Tile]
    label: str | None
    reason: ReviewReason | None = None

    @property
    def map(self) -> TileMap:
        """The map of one row, the last tile of which moves inwards by half."""
        return TileMap.of(lay_grid(max(EDGE, EDGE * len(self.tiles) - EDGE // 2), EDGE, EDGE), self.tiles)


def answered(seq: int, found: TileMap) -> NewResult:
    """Make the result of a photograph with this map as a worker does it."""
    return tiled_result(seq, answer_of(found, MANIFEST), runtime="numpy 2")


def answer_by_tiles(database: Database, job_id: str, answers: Mapping[int, Answer]) -> None:
    """Make a job one with tiles, with these answers for some of its images."""
    job = uuid.UUID(job_id)
    with database.begin() as session:
        session.execute(update(Job).where(Job.id == job).values(tiling={"edge": EDGE, "overlap": 0.0}))
        session.execute(delete(TileMapRow).where(TileMapRow.job_id == job))
        for seq, answer in answers.items():
            session.execute(
                update(Result)
                .where(Result.job_id == job, Result.seq == seq)
                .values(
                    label=answer.label,
                    confidence=None if answer.label is None else 0.75,
                    probabilities=None,
                    needs_review=answer.reason is not None,
                    review_reason=answer.reason,
                    tile_sums=sum_up(answer.map, LABELS).as_json(),
                )
            )
            session.execute(insert(TileMapRow).values(job_id=job, seq=seq, map=encode(answer.map)))
