"""The settings of a new job: the one list of them, for the JSON of a request, for a form, and for the row.

Another setting is a field here, a column of the same name in ``jobs``, and its use. The body of ``POST /v1/jobs``, the
fields of ``POST /v1/jobs/upload`` and the draft follow.
"""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from shared.contracts.manifest import ClassifierName, ClassifierVersion
from shared.contracts.metadata import JOB_METADATA_BYTES, bounded_json
from shared.contracts.schemas import without_default
from shared.contracts.source import Source
from shared.contracts.states import Priority
from shared.contracts.stored import MAX_DAYS, Text
from shared.contracts.tiling import GroundResolution, OnCoarse, Tiling
from shared.contracts.webhook_url import WebhookUrl

JobMetadata = Annotated[dict[str, Any], AfterValidator(bounded_json(JOB_METADATA_BYTES))]
# In query strings and forms: ``name`` or ``name@version``.
ClassifierText = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9._-]{0,63}(@[A-Za-z0-9][A-Za-z0-9._-]{0,31})?$",
        description="`name` or `name@version`.",
        examples=["leaf@1"],
    ),
]
# In the content of every request, used or not; younger settings are part of it only if they are used.
ALWAYS_IN_CONTENT = frozenset({"name", "external_id", "metadata", "priority", "classifier", "source", "webhook_url"})
# The row has the id of what these name.
RESOLVED = {"classifier", "webhook_url"}


class ClassifierRef(BaseModel):
    """A classifier by name, with its version or else the newest one."""

    model_config = ConfigDict(extra="forbid")

    name: ClassifierName
    version: ClassifierVersion | None = None

    @classmethod
    def of(cls, text: str) -> "ClassifierRef":
        """Read ``name`` or ``name@version``, which the pattern of ``ClassifierText`` has checked."""
        name, _, version = text.partition("@")
        return cls(name=name, version=version or None)


class JobRequest(BaseModel):
    """A new job as its client describes it."""

    # A misspelled field would be lost without a word.
    model_config = ConfigDict(extra="forbid")

    name: Text | None = None
    external_id: Text | None = None
    metadata: JobMetadata = Field(default_factory=dict)
    priority: Priority = Priority.BULK
    classifier: ClassifierRef | None = None
    source: Source | None = None
    webhook_url: WebhookUrl | None = None
    # In JSON, `true` and "7" are no numbers.
    keep_days: int | None = Field(
        default=None,
        strict=True,
        ge=1,
        le=MAX_DAYS,
        description="Days from its end until the job is deleted; the operator may set fewer.",
    )
    keep_originals_days: int | None = Field(
        default=None,
        strict=True,
        ge=1,
        le=MAX_DAYS,
        description="Days from its end until its uploads are removed; the results stay.",
    )
    tiling: Tiling | None = Field(
        default=None,
        description="How photographs of many plants are cut; `null` is one answer for each photograph, `auto` takes "
        "the tiles of the classifier.",
    )
    on_coarse: OnCoarse = Field(
        default=OnCoarse.SKIP,
        description="With tiles: the treatment of photographs that are coarser than the classifier has learned; `skip` "
        "if left out.",
        json_schema_extra=without_default,
    )
    ground_resolution_mm: GroundResolution | None = Field(
        default=None, description="With tiles: millimetres in one pixel, of every photograph of the job."
    )

    explain: bool = Field(
        default=False,
        description="Results carry the class activation map of their label, where the classifier has one; `false` if "
        "left out. Of a tile it is made when asked for.",
        json_schema_extra=without_default,
    )

    @model_validator(mode="after")
    def _tiles_need_a_tiling(self) -> Self:
        """Refuse settings of tiles where there are none: they would be without effect, and without a word."""
        if self.tiling is None and (self.ground_resolution_mm is not None or self.on_coarse is not OnCoarse.SKIP):
            msg = "on_coarse and ground_resolution_mm are about tiles: give `tiling`, too"
            raise ValueError(msg)
        return self

    def content(self) -> dict[str, Any]:
        """Return the content by which two requests are the same, for the Idempotency-Key.

        A setting that is younger than these keys counts only if it is used: the same request has the same content
        before and after an upgrade of the server.
        """
        unset = {
            name
            for name, field in type(self).model_fields.items()
            if name not in ALWAYS_IN_CONTENT and getattr(self, name) == field.get_default(call_default_factory=True)
        }
        return self.model_dump(mode="json", exclude=unset)

    def columns(self) -> dict[str, Any]:
        """Return the values of the columns in ``jobs`` that have the names of settings."""
        return self.model_dump(mode="json", exclude=RESOLVED)
