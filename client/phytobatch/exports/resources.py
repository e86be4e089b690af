"""Exports as frozen dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from phytobatch.resources import JsonObject, Page


@dataclass(frozen=True)
class Export:
    """A background export. ``url`` is there once it is completed, and valid for some minutes."""

    id: str
    job_id: str
    format: str
    state: str
    rows: int | None = None
    size: int | None = None
    error: str | None = None
    url: str | None = None
    file_name: str | None = None
    expires_at: str | None = None
    filters: Mapping[str, Any] = field(default_factory=dict)
    content: str = "results"
    created_at: str | None = None
    finished_at: str | None = None
    url_expires_at: str | None = None
    links: Mapping[str, str] = field(default_factory=dict, repr=False)
    raw: JsonObject = field(default_factory=dict, repr=False, compare=False)

    @property
    def is_over(self) -> bool:
        """True once the state is final."""
        return self.state in {"completed", "failed"}

    @classmethod
    def from_json(cls, data: JsonObject) -> Export:
        """Parse the answer of ``GET /v1/exports/{id}``."""
        download = data.get("download") or {}
        return cls(
            id=data["id"],
            job_id=data["job_id"],
            format=data["format"],
            state=data["state"],
            rows=data.get("rows"),
            size=data.get("bytes"),
            error=data.get("error"),
            url=download.get("url"),
            file_name=download.get("file_name"),
            expires_at=data.get("expires_at"),
            filters=data.get("filters") or {},
            content=data.get("content") or "results",
            created_at=data.get("created_at"),
            finished_at=data.get("finished_at"),
            url_expires_at=download.get("expires_at"),
            links=data.get("links") or {},
            raw=data,
        )

    @classmethod
    def page(cls, data: JsonObject) -> Page[Export]:
        """Parse the answer of ``GET /v1/jobs/{id}/exports``."""
        exports = tuple(cls.from_json(entry) for entry in data["exports"])
        return Page(exports, data.get("after"), bool(data.get("has_more")))
