"""Results: the one final answer for each image."""

import uuid

from sqlalchemy import REAL, BigInteger, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.contracts.states import ImageStatus
from shared.db.base import Base, CreatedAt, Instant, readable


class Result(Base):
    """The final answer for an image. The first one wins; it never changes after a client may have read it.

    ``position`` numbers the results of a job in the order in which they become visible (it is assigned under the lock
    of the job's row), so that a reader with a cursor misses none.
    """

    __tablename__ = "results"
    __table_args__ = (
        readable("captured_at"),
        Index("ix_results_job_id_position", "job_id", "position", unique=True),
        Index(
            "ix_results_not_succeeded",
            "job_id",
            "position",
            postgresql_where=text(f"status <> '{ImageStatus.SUCCEEDED}'"),
        ),
    )

    job_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(Text)
    label: Mapped[str | None] = mapped_column(Text)
    confidence: Mapped[float | None] = mapped_column(REAL)
    # In the order of the classifier's classes.
    probabilities: Mapped[list[float] | None] = mapped_column(ARRAY(REAL))
    needs_review: Mapped[bool | None]
    review_reason: Mapped[str | None] = mapped_column(Text)
    # Of an image that is answered by tiles: the sums of its map, as ``shared.tiles.tile_map.TileSums``.
    tile_sums: Mapped[dict[str, dict[str, int]] | None] = mapped_column(JSONB)
    # The crop that the classifier has seen, if it names crops; NULL for tiles and where it is not sure.
    crop: Mapped[str | None] = mapped_column(Text)
    # Of a whole photograph: 64 signed bytes, alike pictures lie close to each other (``shared.contracts.outputs``).
    embedding: Mapped[bytes | None] = mapped_column(LargeBinary)
    # Of jobs with `explain`: what speaks for the label, and where (``shared.contracts.explanations``).
    explanation: Mapped[bytes | None] = mapped_column(LargeBinary)
    error_code: Mapped[str | None] = mapped_column(Text)
    error_detail: Mapped[str | None] = mapped_column(Text)
    # NULL if no classifier ran on the image.
    classifier_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("classifiers.id"))
    # The runtime of the classifier, with its version.
    runtime: Mapped[str | None] = mapped_column(Text)
    finished_at: Mapped[CreatedAt]
    # Place and time by the file itself; those by the client stand in ``images``, and win.
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    altitude: Mapped[float | None]
    heading: Mapped[float | None] = mapped_column(REAL)
    captured_at: Mapped[Instant | None]
    # Why the file has no position (``PositionFault``).
    position_fault: Mapped[str | None] = mapped_column(Text)


class TileMapRow(Base):
    """The map of an image that is answered by tiles, as ``shared.tiles.codec`` writes it; stored with its result.

    A table of its own, so that whoever reads results does not read maps.
    """

    __tablename__ = "tile_maps"
    __table_args__ = (ForeignKeyConstraint(["job_id", "seq"], ["results.job_id", "results.seq"], ondelete="CASCADE"),)

    job_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    map: Mapped[bytes] = mapped_column(LargeBinary)


class TileExplanation(Base):
    """A request for the explanation of one tile, and its answer; forgotten some minutes later.

    Either ``explanation`` or an error is there once a worker has answered.
    """

    __tablename__ = "tile_explanations"
    __table_args__ = (ForeignKeyConstraint(["job_id", "seq"], ["results.job_id", "results.seq"], ondelete="CASCADE"),)

    job_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    tile: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    asked_at: Mapped[CreatedAt]
    # As ``shared.contracts.explanations`` packs it.
    explanation: Mapped[bytes | None] = mapped_column(LargeBinary)
    error_code: Mapped[str | None] = mapped_column(Text)
    error_detail: Mapped[str | None] = mapped_column(Text)
