"""The heads of the images of a job: what an inspection has read of their files, and what it warns of."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from shared.contracts import stored
from shared.contracts.pose import SWAPS_EDGES, Pose
from shared.contracts.tiling import OnCoarse, TilesInPixels
from shared.contracts.warning_codes import WarningCode
from shared.db.models import Job
from shared.db.plans import IMAGES_WITH_RESULT
from shared.jobs import warnings
from shared.tiles.plan import TilePlan, TilePlanner

# Scalar, so that each head is looked up by its key, whatever the statistics say of a new job.
UNREAD = text(
    f"""
    SELECT i.seq, i.size, i.bucket, i.object_key, i.height_above_ground FROM {IMAGES_WITH_RESULT}
    WHERE i.job_id = :job AND i.seq BETWEEN :first AND :last AND r.seq IS NULL
      AND (SELECT 1 FROM image_heads h WHERE h.job_id = i.job_id AND h.seq = i.seq) IS NULL
    ORDER BY i.seq
    """  # noqa: S608  # a text of shared.db.plans
)
KNOWN = text(
    """
    SELECT seq, width, height, orientation, edge, tiles, is_too_coarse, pose FROM image_heads
    WHERE job_id = :job AND seq BETWEEN :first AND :last
    """
)
# A head is read once: what an earlier attempt stored stays.
STORE = text(
    """
    INSERT INTO image_heads (job_id, seq, width, height, orientation, edge, tiles, ground_resolution_mm,
                             ground_resolution_source, is_too_coarse, pose)
    SELECT :job, h.seq, h.width, h.height, h.orientation, h.edge, h.tiles, h.ground_resolution_mm,
           h.ground_resolution_source, h.is_too_coarse, h.pose
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS h(
        seq int, width int, height int, orientation smallint, edge int, tiles int, ground_resolution_mm real,
        ground_resolution_source text, is_too_coarse boolean, pose jsonb)
    ON CONFLICT (job_id, seq) DO NOTHING
    """
)
SUMS = text(
    """
    SELECT count(*) AS heads,
           count(*) FILTER (WHERE is_too_coarse) AS coarse,
           min(ground_resolution_mm) FILTER (WHERE is_too_coarse) AS finest,
           max(ground_resolution_mm) FILTER (WHERE is_too_coarse) AS coarsest,
           count(*) FILTER (WHERE ground_resolution_mm IS NULL AND width IS NOT NULL) AS unknown
    FROM image_heads WHERE job_id = :job
    """
)


@dataclass(frozen=True, slots=True)
class UnreadImage:
    """An image whose head is not read. ``size`` in bytes, ``bucket`` None for our own, the height in metres."""

    seq: int
    size: int
    bucket: str | None
    object_key: str
    height_above_ground: float | None


@dataclass(frozen=True, slots=True)
class KnownHead:
    """The head of an image as it is stored, as far as the cut of its tiles needs it: see ``ImageHead``."""

    seq: int
    width: int | None
    height: int | None
    orientation: int
    edge: int | None
    tiles: int
    is_too_coarse: bool
    pose: Pose

    @property
    def upright_size(self) -> tuple[int, int] | None:
        """Width and height of the picture as people see it; None if they are unknown."""
        if self.width is None or self.height is None:
            return None
        return (self.height, self.width) if self.orientation in SWAPS_EDGES else (self.width, self.height)


@dataclass(frozen=True, slots=True)
class NewHead:
    """The head of an image as an inspection found it, and the plan of its tiles.

    ``width`` and ``height`` are those of the stored pixels, None if they are unknown.
    """

    seq: int
    width: int | None
    height: int | None
    orientation: int
    pose: Pose
    plan: TilePlan

    def row(self) -> dict[str, Any]:
        """Return the columns, as JSON."""
        plan = asdict(self.plan)
        mm = stored.or_none(stored.real, self.plan.ground_resolution_mm)
        return {
            "seq": self.seq,
            "width": self.width,
            "height": self.height,
            "orientation": self.orientation,
            **{name: plan[name] for name in ("edge", "tiles", "is_too_coarse")},
            "ground_resolution_mm": mm,
            "ground_resolution_source": plan["ground_resolution_source"],
            "pose": self.pose.to_json() or None,
        }


def unread_images(session: Session, job_id: uuid.UUID, *, first_seq: int, last_seq: int) -> list[UnreadImage]:
    """Read the images of a range without a result whose heads are not read, in order."""
    return [UnreadImage(*row) for row in session.execute(UNREAD, {"job": job_id, "first": first_seq, "last": last_seq})]


def known_heads(session: Session, job_id: uuid.UUID, *, first_seq: int, last_seq: int) -> dict[int, KnownHead]:
    """Read the heads of a range of images, by number; one that no inspection has read is missing."""
    rows = session.execute(KNOWN, {"job": job_id, "first": first_seq, "last": last_seq}).mappings()
    return {row["seq"]: KnownHead(**{**row, "pose": Pose.model_validate(row["pose"] or {})}) for row in rows}


def store_heads(session: Session, job_id: uuid.UUID, heads: Sequence[NewHead]) -> None:
    """Store heads. The transaction ends with that of their chunk (``claims.finish_inspection``), or stores nothing."""
    if heads:
        session.execute(STORE, {"job": job_id, "rows": json.dumps([head.row() for head in heads])})


def warn(session: Session, job: Job, planner: TilePlanner, classifier: str) -> None:
    """Warn of what the heads show until now. The caller holds the lock of the job's row.

    Args:
        session: a transaction.
        job: the job.
        planner: of the job.
        classifier: its name and version, for the sentence.
    """
    sums = session.execute(SUMS, {"job": job.id}).one()
    sentences = {
        WarningCode.TOO_COARSE: _too_coarse(sums, planner, classifier),
        WarningCode.GROUND_RESOLUTION_UNKNOWN: _unknown(sums, planner, classifier),
    }
    for code, sentence in sentences.items():
        if sentence is not None:
            warnings.warn(session, job, code, sentence)


def _too_coarse(sums: Row[Any], planner: TilePlanner, classifier: str) -> str | None:
    if not sums.coarse or planner.limit_mm is None:
        return None
    span = (
        f"{sums.finest:.3g}"
        if f"{sums.finest:.3g}" == f"{sums.coarsest:.3g}"
        else (f"{sums.finest:.3g} to {sums.coarsest:.3g}")
    )
    reads = f"that {classifier} reads" if planner.limit_mm == planner.coarsest_mm else "that tiles of this size need"
    what = (
        "they are not classified, and count as undecided"
        if planner.on_coarse is OnCoarse.SKIP
        else "they are classified all the same, and each asks for a review"
    )
    return (
        f"{sums.coarse} of {sums.heads} photographs are coarser ({span} mm a pixel) than the {planner.limit_mm:.3g} mm "
        f"{reads}; {what}. From {sums.coarsest / planner.limit_mm:.1f} times closer all of them could be read"
    )


def _unknown(sums: Row[Any], planner: TilePlanner, classifier: str) -> str | None:
    """Return the sentence about photographs that pass unchecked, if there is a limit to check."""
    if not sums.unknown or planner.coarsest_mm is None or not isinstance(planner.tiles, TilesInPixels):
        return None
    return (
        f"{sums.unknown} of {sums.heads} photographs do not say how large their pixels are on the plant or the ground, "
        f"and are classified unchecked; {classifier} reads pixels of up to {planner.coarsest_mm:.3g} mm. Send "
        "ground_resolution_mm with the job, or a height_above_ground for each photograph"
    )
