"""The tiles of one photograph, as its job asks for them and as its head allows."""

from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter

from shared.contracts.manifest import Manifest, ManifestTiling
from shared.contracts.pose import Pose
from shared.contracts.states import ImageErrorCode
from shared.contracts.tiling import (
    AUTO,
    MIN_EDGE,
    GroundResolutionSource,
    OnCoarse,
    TilesInMillimetres,
    TilesInPixels,
    Tiling,
)
from shared.geography.ground_resolution import UnknownResolution, edge_in_pixels, find_ground_resolution
from shared.tiles.grid import count_tiles

TILING: TypeAdapter[Tiling] = TypeAdapter(Tiling)
MAX_TILES = 2**31 - 1  # of what is stored


@dataclass(frozen=True, slots=True)
class TilePlan:
    """The cut of one photograph.

    Attributes:
        edge: of its tiles, in pixels of the upright original; None where tiles in millimetres found no resolution.
        tiles: their number; 1 if it is not known, or nothing will be classified.
        ground_resolution_mm: millimetres in one pixel; None if nobody knows.
        ground_resolution_source: who says so.
        is_too_coarse: its pixels are larger than those that the classifier has learned, or than its tiles allow.
        refused: the reason why it cannot be classified.
        detail: the reason in words.
    """

    edge: int | None
    tiles: int = 1
    ground_resolution_mm: float | None = None
    ground_resolution_source: GroundResolutionSource | None = None
    is_too_coarse: bool = False
    refused: ImageErrorCode | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class TilePlanner:
    """The tiling of a job, with what its classifier recommends; plans one photograph after another.

    Attributes:
        tiles: in pixels or in millimetres.
        on_coarse: the treatment of photographs that are too coarse.
        ground_resolution_mm: what the client says of all its photographs.
        coarsest_mm: the largest pixel that the classifier has learned; None if its manifest does not say.
        max_tiles: of one photograph.
        auto_edge_mm: the edge that shows what was learned, where the job leaves it to the manifest; None otherwise.
    """

    tiles: TilesInPixels | TilesInMillimetres
    on_coarse: OnCoarse
    ground_resolution_mm: float | None
    coarsest_mm: float | None
    max_tiles: int
    auto_edge_mm: float | None = None

    @classmethod
    def of(
        cls,
        tiling: dict[str, Any] | str,
        *,
        on_coarse: str | None,
        ground_resolution_mm: float | None,
        manifest: Manifest,
        max_tiles: int,
    ) -> "TilePlanner":
        """Join the settings of a job, as they are stored, with the manifest of its classifier."""
        learned = manifest.tiling or ManifestTiling()
        asked = TILING.validate_python(tiling)
        return cls(
            TilesInPixels(edge=learned.edge, overlap=learned.overlap) if asked == AUTO else asked,
            OnCoarse(on_coarse or OnCoarse.SKIP),
            ground_resolution_mm,
            learned.ground_resolution_mm[1] if learned.ground_resolution_mm else None,
            max_tiles,
            learned.edge_mm if asked == AUTO else None,
        )

    @property
    def limit_mm(self) -> float | None:
        """The largest pixel with which a photograph is classified; None if there is no limit."""
        return min((mm for mm in (self.coarsest_mm, self._coarsest_of_edge) if mm is not None), default=None)

    @property
    def _coarsest_of_edge(self) -> float | None:
        """The largest pixel with which a tile has enough of them; an edge is rounded."""
        return self.tiles.edge_mm / (MIN_EDGE - 0.5) if isinstance(self.tiles, TilesInMillimetres) else None

    def plan(self, size: tuple[int, int] | None, pose: Pose, *, height_above_ground: float | None = None) -> TilePlan:
        """Plan one photograph.

        Args:
            size: width and height of the upright original in pixels; None if they are unknown.
            pose: of its file.
            height_above_ground: of the camera in metres, as the client or a sidecar says.
        """
        found = find_ground_resolution(
            pose, size, of_job=self.ground_resolution_mm, height_above_ground=height_above_ground
        )
        if isinstance(found, UnknownResolution):
            return self._without_resolution(size, found)
        too_coarse = self.coarsest_mm is not None and found.mm > self.coarsest_mm
        edge = self._edge(found.mm, size)
        known = TilePlan(
            MIN_EDGE if edge is None else edge,
            ground_resolution_mm=found.mm,
            ground_resolution_source=found.source,
            is_too_coarse=too_coarse or edge is None,
        )
        return self._counted(known, size)

    def _edge(self, resolution_mm: float, size: tuple[int, int] | None) -> int | None:
        """Return the edge in pixels; None if too few would be left in it."""
        if isinstance(self.tiles, TilesInMillimetres):
            return edge_in_pixels(self.tiles.edge_mm, resolution_mm, size)
        if self.auto_edge_mm is None:
            return self.tiles.edge
        # A tile must show what was learned, from near and from far away; what is too far away is not classified.
        return edge_in_pixels(self.auto_edge_mm, resolution_mm, size) or self.tiles.edge

    def _without_resolution(self, size: tuple[int, int] | None, reason: UnknownResolution) -> TilePlan:
        if isinstance(self.tiles, TilesInPixels):
            return self._counted(TilePlan(self.tiles.edge), size)
        if size is None:  # Whoever decodes the file says what is wrong with it.
            return TilePlan(None)
        # A height helps where the height is missing: not a file without its lens, nor a camera that looked elsewhere.
        height = ", or a height_above_ground for each photograph" if reason is UnknownResolution.NO_HEIGHT else ""
        return TilePlan(
            None,
            refused=ImageErrorCode.GROUND_RESOLUTION_UNKNOWN,
            detail=f"tiles of {self.tiles.edge_mm:g} mm need the ground resolution of a photograph, and {reason}; send "
            f"ground_resolution_mm with the job{height}",
        )

    def _counted(self, plan: TilePlan, size: tuple[int, int] | None) -> TilePlan:
        is_skipped = plan.is_too_coarse and self.on_coarse is OnCoarse.SKIP
        if size is None or plan.edge is None or is_skipped:
            return plan
        tiles = count_tiles(*size, plan.edge, self.tiles.overlap)
        if tiles <= self.max_tiles:
            return replace(plan, tiles=tiles)
        return replace(
            plan,
            tiles=min(tiles, MAX_TILES),
            refused=ImageErrorCode.TOO_MANY_TILES,
            detail=f"the photograph of {size[0]} x {size[1]} pixels has {tiles:,} tiles of {plan.edge} pixels, at most "
            f"{self.max_tiles:,} are allowed (PHYTOBATCH_MAX_TILES_PER_IMAGE); take larger tiles",
        )
