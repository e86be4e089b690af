"""The tiling of a job: how a photograph of many plants is cut, as a client asks for it and as a manifest recommends it.

``null`` is one answer for the whole photograph. ``"auto"`` takes the tiling of the classifier's manifest. Two forms
name the edge of a tile, in pixels of the upright original file or in millimetres on the plant or the ground. In forms
and on command lines they are short texts: ``auto``, ``256``, ``256/0.2``, ``80mm``, ``80mm/0.2``.
"""

import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from shared.contracts import stored
from shared.contracts.schemas import without_default

MIN_EDGE = 32  # pixels; below it nothing is left of a leaf
MAX_EDGE = 8192  # pixels
MAX_OVERLAP = 0.5
# Light has waves of 0.0004 mm, so no photograph has smaller pixels; and an edge in pixels stays a whole number that
# can be stored.
MIN_GROUND_RESOLUTION_MM = 0.0001
MIN_EDGE_MM = MIN_EDGE * MIN_GROUND_RESOLUTION_MM
MAX_EDGE_MM = 100_000.0
# A photograph whose pixels are larger than this on the ground shows no plants.
MAX_GROUND_RESOLUTION_MM = 10_000.0
AUTO: Literal["auto"] = "auto"
SHORT_FORM = r"^(auto|[0-9]{1,5}(/0?\.[0-9]{1,6})?|[0-9]{1,6}(\.[0-9]{1,6})?mm(/0?\.[0-9]{1,6})?)$"
SHORT_FORM_WORDS = "`auto`, an edge in pixels as `256`, or in millimetres as `80mm`; with an overlap as `256/0.2`"

Overlap = Annotated[
    float,
    Field(
        default=0.0,
        strict=True,
        ge=0,
        le=MAX_OVERLAP,
        description="Part of an edge that two tiles share; 0 if left out.",
        json_schema_extra=without_default,
    ),
    AfterValidator(stored.double),
]
GroundResolution = Annotated[
    float,
    Field(
        strict=True,
        ge=MIN_GROUND_RESOLUTION_MM,
        le=MAX_GROUND_RESOLUTION_MM,
        description="Millimetres of plant or ground in one pixel.",
    ),
    AfterValidator(stored.double),
]


class OnCoarse(StrEnum):
    """The treatment of a photograph that is coarser than the classifier has learned."""

    SKIP = "skip"  # It is not classified: undecided, with the reason `too_coarse`.
    ANSWER = "answer"  # It is classified, and marked for a review with the reason `too_coarse`.


class GroundResolutionSource(StrEnum):
    """The source of a photograph's ground resolution. The first of these that has one wins."""

    JOB = "job"  # The job says it for all its photographs.
    SIDECAR = "sidecar"  # A height from a sidecar, with the camera's focal length.
    FILE = "file"  # Height above take-off and focal length of the file itself.


class _Cut(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    overlap: Overlap = 0.0


class TilesInPixels(_Cut):
    """Squares with an edge in pixels of the upright original file."""

    edge: int = Field(strict=True, ge=MIN_EDGE, le=MAX_EDGE, description="Pixels.")


class TilesInMillimetres(_Cut):
    """Squares with an edge in millimetres, where the ground resolution of a photograph is known."""

    edge_mm: Annotated[
        float,
        Field(strict=True, ge=MIN_EDGE_MM, le=MAX_EDGE_MM, description="Millimetres."),
        AfterValidator(stored.double),
    ]


def _choose(value: object) -> object:
    """Read the one form that is meant, so that an error is about that form and not about all three."""
    if isinstance(value, dict):
        edges = {"edge", "edge_mm"} & value.keys()
        if len(edges) != 1:
            raise ValueError(f"has {'both' if edges else 'none'} of `edge` and `edge_mm`: give one of them")
        return (TilesInPixels if "edge" in edges else TilesInMillimetres).model_validate(value)
    if value != AUTO and not isinstance(value, _Cut):
        raise ValueError(f"is no tiling: {FORMS_WORDS}")
    return value


FORMS_WORDS = 'give "auto", {"edge": pixels, "overlap": 0 to 0.5} or {"edge_mm": millimetres, "overlap": 0 to 0.5}'
Tiling = Annotated[Literal["auto"] | TilesInPixels | TilesInMillimetres, BeforeValidator(_choose)]


def read_short(text: str) -> Tiling:
    """Read the short form of a tiling.

    Raises:
        ValueError: it is none; the message says what is.
    """
    if not re.fullmatch(SHORT_FORM, text):
        raise ValueError(f"is no tiling: give {SHORT_FORM_WORDS}")
    if text == AUTO:
        return AUTO
    edge, _, overlap = text.partition("/")
    if edge.endswith("mm"):
        return TilesInMillimetres(edge_mm=float(edge.removesuffix("mm")), overlap=float(overlap or 0))
    return TilesInPixels(edge=int(edge), overlap=float(overlap or 0))


def _check(text: str) -> str:
    read_short(text)
    return text


# A tiling in a form or a query string: read, and as the text that it is.
ShortTiling = Annotated[Tiling, BeforeValidator(read_short)]
TilingText = Annotated[
    str,
    AfterValidator(_check),
    Field(
        description=f"Tiles: {SHORT_FORM_WORDS}.",
        examples=["auto", "256/0.2"],
        json_schema_extra={"pattern": SHORT_FORM},
    ),
]
