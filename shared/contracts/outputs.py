"""The outputs of a model by name, as the second version of the manifest lists them.

In the first version a model has one output without a name: probabilities and review outputs side by side.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

EMBEDDING_LENGTH = 64  # bytes for an image
MAX_MAP_EDGE = 64  # cells
MAX_CROPS = 255

OutputName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
MapEdge = Annotated[int, Field(ge=1, le=MAX_MAP_EDGE)]


class ModelOutputs(BaseModel):
    """The name of each output of a model, the same in every file and runtime; n is the number of images.

    Attributes:
        probabilities: float32 (n, classes), 0 to 1, each row adds up to 1.
        review: float32 (n, review outputs), compared with the limits of ``review_outputs``.
        map: float32 (n, rows, columns, classes), the class activation map: the evidence of each cell for each class,
            whose mean over the cells is the logit of the class up to a constant (Zhou et al., CVPR 2016).
        map_size: rows and columns of the map.
        embedding: float32 (n, 64), -1 to 1: alike pictures lie close to each other; stored as one signed byte each.
        crop: float32 (n, crops), 0 to 1, each row adds up to 1.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_serialization_defaults_required=True)

    probabilities: OutputName = "probabilities"
    review: OutputName | None = None
    map: OutputName | None = None
    map_size: tuple[MapEdge, MapEdge] | None = None
    embedding: OutputName | None = None
    crop: OutputName | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names that the model must have, in the order of the fields."""
        named = (self.probabilities, self.review, self.map, self.embedding, self.crop)
        return tuple(name for name in named if name is not None)
