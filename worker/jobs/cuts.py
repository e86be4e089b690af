"""The cut of the photographs of a tiled chunk, by their heads; and the answers of those that are not classified."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from shared.contracts.manifest import Manifest
from shared.contracts.pose import Pose
from shared.contracts.states import ImageErrorCode, ImageStatus
from shared.contracts.tiling import OnCoarse
from shared.db.models import Job
from shared.jobs import claims, heads
from shared.jobs.heads import KnownHead, UnreadImage
from shared.jobs.images import PendingImage
from shared.jobs.results import NewResult
from shared.tiles.plan import TilePlanner
from worker.context import Context
from worker.inference.errors import ImageError
from worker.inference.limits import PictureLimits
from worker.inference.tiles.answer import answer_of_skipped
from worker.inference.tiles.tile_cut import TileCut
from worker.jobs.heads import planner_of, read_heads
from worker.jobs.tiled_result import tiled_result
from worker.leasing.leases import Lease

NO_RESOLUTION = (
    "tiles in millimetres need the ground resolution of a photograph, and nobody knows it; send ground_resolution_mm "
    "with the job, or a height_above_ground for each photograph"
)


@dataclass(slots=True)
class ChunkCut:
    """The cut of each photograph that is to be classified, by its number, and the results of all others."""

    tiles: dict[int, TileCut] = field(default_factory=dict)
    answered: list[NewResult] = field(default_factory=list)


def cut_photographs(context: Context, lease: Lease, images: Sequence[PendingImage], manifest: Manifest) -> ChunkCut:
    """Find the tiles of every photograph of a chunk.

    One that came alone (``lifecycle.commit_arrived``) has no head yet: it is read here, and nobody waited for it.

    Raises:
        StoreUnavailable, DatabaseUnavailable: infrastructure is away.
        LeaseLost, CancelRequested, StopRequested: as ``lease.check()``.
    """
    claim = lease.claim
    within = {"first_seq": claim.first_seq, "last_seq": claim.last_seq}
    with context.database.begin() as session:
        job = session.get_one(Job, claim.job_id)
        planner, classifier = planner_of(session, job, max_tiles=context.settings.max_tiles_per_image)
        unread = heads.unread_images(session, claim.job_id, **within)
    if unread:
        _read_now(context, lease, unread, planner, classifier)
    with context.database.begin() as session:
        known = heads.known_heads(session, claim.job_id, **within)
    cut = ChunkCut()
    for image in images:
        _decide(cut, image.seq, known.get(image.seq), planner, manifest)
    return cut


def _read_now(
    context: Context, lease: Lease, unread: Sequence[UnreadImage], planner: TilePlanner, classifier: str
) -> None:
    found = list(read_heads(context, lease, unread, planner))
    context.database.run(
        lambda session: claims.note_heads(
            session, lease.claim, found, warn=partial(heads.warn, session, planner=planner, classifier=classifier)
        )
    )


def _decide(cut: ChunkCut, seq: int, head: KnownHead | None, planner: TilePlanner, manifest: Manifest) -> None:
    """Put a photograph among those to be classified, or its result among the others."""
    size = None if head is None else head.upright_size
    if head is not None and size is not None and head.is_too_coarse and planner.on_coarse is OnCoarse.SKIP:
        cut.answered.append(_skipped(head, size, planner, manifest))
        return
    plan = planner.plan(None, Pose())  # by what the job alone says
    edge = plan.edge if head is None or head.edge is None else head.edge
    if edge is None:
        code = ImageErrorCode.GROUND_RESOLUTION_UNKNOWN
        cut.answered.append(NewResult(seq, ImageStatus.FAILED, error_code=code, error_detail=NO_RESOLUTION))
        return
    is_coarse = plan.is_too_coarse if head is None else head.is_too_coarse
    cut.tiles[seq] = TileCut(edge, planner.tiles.overlap, is_coarse=is_coarse)


def _skipped(head: KnownHead, size: tuple[int, int], planner: TilePlanner, manifest: Manifest) -> NewResult:
    """Answer for a photograph that is too coarse, without a download; its place is that of its head."""
    place = _place_of(head.pose)
    edge = head.edge or planner.plan(None, Pose()).edge or max(size)
    cut = TileCut(edge, planner.tiles.overlap)
    try:
        answer = answer_of_skipped(*size, cut, manifest, limits=PictureLimits(tiles=planner.max_tiles))
    except ImageError as error:
        return NewResult(head.seq, ImageStatus.FAILED, error_code=error.code, error_detail=error.detail, **place)
    return tiled_result(head.seq, answer, **place)


def _place_of(pose: Pose) -> dict[str, Any]:
    return {
        "latitude": pose.latitude,
        "longitude": pose.longitude,
        "altitude": pose.altitude_m,
        "heading": pose.heading_degrees,
        "captured_at": pose.captured_at,
        "position_fault": pose.position_fault,
    }
