"""Cutting of tiles out of decoded photographs, lazily: a few batches ahead of the model and no more."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import Manifest
from shared.tiles.grid import Box, Grid
from shared.tiles.tile_map import Tile, TileMap
from worker.inference.budget import Reservation
from worker.inference.explanation import Explanation
from worker.inference.geography import FilePlace
from worker.inference.preprocess import resized
from worker.inference.tiles.light import is_learned, light_of

# In one call of a thread: a few milliseconds, so that a picture that is to be decoded does not wait long.
TILES_AT_A_TIME = 8
Pixels = NDArray[np.uint8]


@dataclass(eq=False, slots=True)
class Picture:
    """A decoded photograph, until its last tile is answered.

    Attributes:
        seq: of its image.
        place: from its file.
        grid: its tiles.
        is_coarse: see ``TileCut``.
        pixels: uint8, (height, width, 3), upright; None when the last tile is cut.
        reservation: of its bytes.
        known: the labels of the only tiles that are cut, by their numbers; None cuts all.
        following: how many of the wanted tiles somebody has begun to cut.
        uncut: tiles that are not cut yet.
        taken: tiles that the consumer has.
        explanations: those that were asked for, by the numbers of their tiles.
    """

    seq: int
    place: FilePlace | None
    grid: Grid
    is_coarse: bool
    pixels: Pixels | None
    reservation: Reservation
    known: Mapping[int, int] | None = None
    following: int = 0
    uncut: int = field(init=False)
    taken: int = 0
    explanations: dict[int, Explanation] = field(default_factory=dict)
    _wanted: Sequence[int] = field(init=False)
    _answers: list[Tile] = field(init=False)
    _answered: int = 0

    def __post_init__(self) -> None:
        """Count the tiles."""
        self._wanted = range(self.grid.tiles) if self.known is None else sorted(self.known)
        self.uncut = len(self._wanted)
        self._answers = [Tile()] * self.grid.tiles

    @property
    def is_taken(self) -> bool:
        """True if the consumer has every tile."""
        return self.taken == len(self._wanted)

    def begin(self, count: int) -> Sequence[int]:
        """Return the numbers of the next tiles to cut, up to ``count``."""
        numbers = self._wanted[self.following : self.following + count]
        self.following += len(numbers)
        return numbers

    @property
    def is_begun(self) -> bool:
        """True if every tile is cut, or is being cut."""
        return self.following == len(self._wanted)

    def answer(self, number: int, tile: Tile) -> None:
        """Note the answer of a tile."""
        self._answers[number] = tile
        self._answered += 1

    @property
    def is_answered(self) -> bool:
        """True if every tile has its answer."""
        return self._answered == len(self._wanted)

    @property
    def map(self) -> TileMap:
        """The map of the answers."""
        return TileMap.of(self.grid, self._answers)


@dataclass(frozen=True, slots=True)
class CutTile:
    """A tile of the size of the model's input: uint8, (height, width, 3), and what its light was."""

    picture: Picture
    number: int
    pixels: Pixels
    unusual_light: bool
    is_ahead: bool


@dataclass(frozen=True, slots=True)
class _Step:
    picture: Picture
    tiles: Sequence[int]
    is_ahead: bool


class Cutter:
    """The cutting of one run. ``open`` is called from any thread, everything else by the run's consumer."""

    def __init__(
        self,
        manifest: Manifest,
        submit: Callable[[Callable[[], None], Callable[[BaseException | None], None]], None],
        put: Callable[[CutTile | BaseException], None],
        *,
        ahead: int,
    ) -> None:
        """Start nothing.

        Args:
            manifest: says how pixels are prepared.
            submit: runs a call in a thread; the second function hears of it if it will never begin.
            put: receives tiles, in that thread, or the error that ends the run.
            ahead: tiles that are cut before the consumer asks for them; up to a step more.
        """
        self._manifest = manifest
        self._submit = submit
        self._put = put
        self._most_ahead = ahead
        self._lock = threading.Lock()
        self._to_cut: deque[Picture] = deque()
        self._in_memory: set[Picture] = set()
        self._ahead = 0  # tiles that threads cut, or have cut, and that were not taken
        self._closed = False

    def open(self, picture: Picture) -> None:
        """Begin to cut a photograph, behind those before it."""
        with self._lock:
            self._in_memory.add(picture)
            if self._closed:
                self._forget(picture)
                return
            self._to_cut.append(picture)
        self._cut_ahead()

    def take(self, tile: CutTile) -> None:
        """Take a tile: threads may cut another one."""
        tile.picture.taken += 1
        if tile.is_ahead:
            with self._lock:
                self._ahead -= 1
            self._cut_ahead()

    def cut_here(self) -> CutTile | None:
        """Cut the next tile in this thread; return None if there is none. Threads may be busy with decoding."""
        with self._lock:
            step = self._next_step(1, is_ahead=False)
        return None if step is None else next(iter(self._cut(step)), None)

    def close(self) -> None:
        """Forget every photograph, and release its bytes."""
        with self._lock:
            self._closed = True
            self._to_cut.clear()
            for picture in list(self._in_memory):
                self._forget(picture)

    def _cut_ahead(self) -> None:
        with self._lock:
            steps = list(self._steps_ahead())
        for step in steps:
            self._submit(partial(self._cut_in_thread, step), self._ended)

    def _steps_ahead(self) -> Iterator[_Step]:
        while self._ahead < self._most_ahead:
            step = self._next_step(TILES_AT_A_TIME, is_ahead=True)
            if step is None:
                return
            self._ahead += len(step.tiles)
            yield step

    def _next_step(self, count: int, *, is_ahead: bool) -> _Step | None:
        if not self._to_cut:
            return None
        picture = self._to_cut[0]
        numbers = picture.begin(count)
        if picture.is_begun:
            self._to_cut.popleft()
        return _Step(picture, numbers, is_ahead)

    def _cut_in_thread(self, step: _Step) -> None:
        try:
            for tile in self._cut(step):
                self._put(tile)
        except BaseException as error:  # noqa: BLE001  # Raised again in the caller's thread, where it belongs.
            self._put(error)

    def _ended(self, error: BaseException | None) -> None:
        if error is not None:
            self._put(error)

    def _cut(self, step: _Step) -> list[CutTile]:
        """Cut the tiles of a step; none if the run was abandoned."""
        tiles = self._tiles(step)
        with self._lock:
            step.picture.uncut -= len(tiles)
            if not step.picture.uncut:
                self._forget(step.picture)
        return tiles

    def _tiles(self, step: _Step) -> list[CutTile]:
        pixels, tiling = step.picture.pixels, self._manifest.tiling
        learned = None if tiling is None else tiling.light
        if pixels is None:
            return []
        tiles = []
        for number in step.tiles:
            tile = tile_pixels(pixels, step.picture.grid.box(number), self._manifest)
            unusual = learned is not None and not is_learned(light_of(tile), learned)
            tiles.append(CutTile(step.picture, number, tile, unusual, step.is_ahead))
        return tiles

    def _forget(self, picture: Picture) -> None:
        """Let go of the pixels, once; the lock is held."""
        if picture in self._in_memory:
            self._in_memory.remove(picture)
            picture.pixels = None
            picture.reservation.release()


def tile_pixels(pixels: Pixels, box: Box, manifest: Manifest) -> Pixels:
    """Cut a tile and resize it to the model's input: uint8, (height, width, 3), not resized where it has that size.

    Args:
        pixels: of the whole photograph, upright: uint8, (height, width, 3), RGB.
        box: left, top, right and bottom of the tile.
        manifest: names the input size and the filter.
    """
    left, top, right, bottom = box
    tile = np.array(pixels[top:bottom, left:right], order="C")  # A view would keep the photograph in memory.
    return resized(tile, manifest.input_size[::-1], manifest.preprocessing.resize)
