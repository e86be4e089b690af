"""The sources of a job's images, other than an upload."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from shared.contracts import stored


class S3Prefix(BaseModel):
    """Every object below ``s3://bucket/prefix`` that looks like an image."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    prefix: Annotated[str, AfterValidator(stored.text)] = Field(default="", max_length=512)

    @property
    def uri(self) -> str:
        """The form of an operator's allow-list: ``s3://bucket/prefix``."""
        return f"s3://{self.bucket}/{self.prefix}"


class Source(BaseModel):
    """Exactly one kind of source; a new kind is a new field."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    s3: S3Prefix
