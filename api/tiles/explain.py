"""Asking why a tile has its label, and waiting for the answer."""

import asyncio
import uuid
from contextlib import closing, suppress

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from api.auth import Caller
from api.links import link
from api.services import Services
from api.waiting.hub import Purpose, Watch
from api.waiting.presence import leaving_with_client
from shared.contracts.explanations import Cells, cells_of
from shared.errors import TooManyAtATime, TooManyWaiting
from shared.jobs import explanations
from shared.jobs.explanations import Asked


class TileExplanationOut(BaseModel):
    """The evidence for the label of a tile, and its place."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "seq": 10,
                    "tile": 1,
                    "label": "rust",
                    "x": 256,
                    "y": 0,
                    "width": 256,
                    "height": 256,
                    "explanation": [[0, 12, 31], [8, 255, 64], [0, 21, 9]],
                }
            ]
        }
    )

    seq: int
    tile: int = Field(description="Its number, from 0, rows first.")
    label: str = Field(description="Class id, as the stored answer has it.")
    x: int = Field(description="Left edge in pixels of the upright original.")
    y: int = Field(description="Top edge in pixels of the upright original.")
    width: int
    height: int
    explanation: Cells | None = Field(
        description="Rows of cells over the tile, 0 to 255: what speaks for the label more than for the other classes. "
        "`null` in the answer 202: it is being made."
    )


def explanation_path(job_id: uuid.UUID, seq: int, tile: int) -> str:
    """Return the path of the explanation of a tile on this server."""
    return link(f"/v1/jobs/{job_id}/images/{seq}/tiles/{tile}/explanation")


def explanation_out(seq: int, tile: int, asked: Asked) -> TileExplanationOut:
    """Return an explanation, or that there is none yet, as clients see it."""
    left, top, right, bottom = asked.box
    return TileExplanationOut(
        seq=seq,
        tile=tile,
        label=asked.label,
        x=left,
        y=top,
        width=right - left,
        height=bottom - top,
        explanation=None if asked.explanation is None else cells_of(asked.explanation),
    )


class TileQuestion:
    """The question of one client about one tile."""

    def __init__(self, services: Services, caller: Caller, job_id: uuid.UUID, seq: int, tile: int) -> None:
        self._services = services
        self._caller = caller
        self._job_id = job_id
        self._seq = seq
        self._tile = tile

    async def answer(self, request: Request) -> Asked:
        """Ask, and wait until it is answered, the client has left, or the time is up.

        It does not wait at all when no more clients may: then the client asks again.

        Raises:
            NotFound, NoTiles, NoExplanation, InvalidRequest, Conflict: as ``shared.jobs.explanations.ask``.
            DatabaseUnavailable: Postgres is away.
        """
        asked = await self._ask()
        if asked.is_over:
            return asked
        holder = self._caller.holder
        with (
            suppress(TooManyAtATime, TooManyWaiting),
            closing(self._services.hub.watch(holder, self._job_id, Purpose.ANSWER)) as watch,
        ):
            return await self._wait(watch, request)
        return asked

    async def _wait(self, watch: Watch, request: Request) -> Asked:
        until = asyncio.get_running_loop().time() + self._services.settings.predict_wait_seconds
        await watch.first()
        async with leaving_with_client(request.receive, watch):
            while not (asked := await self._ask()).is_over and await watch.news(until):
                pass
        return asked

    async def _ask(self) -> Asked:
        return await self._services.turns.run(self._caller.holder, self._ask_in_thread)

    def _ask_in_thread(self) -> Asked:
        with self._services.database.begin() as session:
            asked = explanations.ask(session, self._caller.tenant_id, self._job_id, self._seq, self._tile)
        if not asked.is_over:
            self._services.waker.nudge()
        return asked
