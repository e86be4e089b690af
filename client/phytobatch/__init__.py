"""Python client of Phytobatch.

    from phytobatch import Phytobatch

    with Phytobatch() as phytobatch:                 # PHYTOBATCH_URL and PHYTOBATCH_API_KEY
        job = phytobatch.create_job(name="North field, row 3")
        (target,) = phytobatch.add_images(job.id, [ImageSpec.of_file(path)])
        phytobatch.upload(target, path)
        phytobatch.commit(job.id)
        for result in phytobatch.results(job.id, follow=True):
            print(result.name, result.label, result.confidence)

Receivers of webhooks call ``phytobatch.verify(secret, headers, body)``.

It speaks HTTP only and needs nothing but urllib3; the command ``phytobatch`` adds rich.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from phytobatch.corrections.resources import Correction
    from phytobatch.errors import (
        AnswerTimeout,
        ApiError,
        AuthError,
        ConfigurationError,
        Conflict,
        DownloadError,
        DownloadRefused,
        ExportFailed,
        FileChanged,
        FileUnreadable,
        InvalidRequest,
        LimitExceeded,
        NetworkError,
        NotFound,
        PhytobatchError,
        ServerUnavailable,
        UploadError,
        UploadRefused,
        UploadUrlExpired,
        VerificationError,
        WaitTimeout,
    )
    from phytobatch.exports.resources import Export
    from phytobatch.receipts.resources import Receipt
    from phytobatch.resources import (
        Classifier,
        ClassifierRef,
        ClassLabel,
        Counts,
        Crop,
        ImageSpec,
        Job,
        LearnedTiling,
        Page,
        Place,
        Prediction,
        Progress,
        Provenance,
        RankedClass,
        Readiness,
        Result,
        ResultCorrection,
        ResultPage,
        SidecarReport,
        TileSums,
        UploadTarget,
        Work,
    )
    from phytobatch.retry import RetryPolicy
    from phytobatch.sdk import Phytobatch
    from phytobatch.tiles.answer import ImageTiles, TileExplanation
    from phytobatch.waiting.job_event import JobEvent
    from phytobatch.webhooks.resources import Delivery, DeliveryAttempt, JobSecret, Webhook
    from phytobatch.webhooks.verification import verify

# Where each name lives. A module is imported when one of its names is asked for: urllib3 alone takes longer than all of
# ours, and a program that only verifies webhooks needs none of it.
_HOMES = {
    "phytobatch.corrections.resources": ("Correction",),
    "phytobatch.errors": (
        "AnswerTimeout",
        "ApiError",
        "AuthError",
        "ConfigurationError",
        "Conflict",
        "DownloadError",
        "DownloadRefused",
        "ExportFailed",
        "FileChanged",
        "FileUnreadable",
        "InvalidRequest",
        "LimitExceeded",
        "NetworkError",
        "NotFound",
        "PhytobatchError",
        "ServerUnavailable",
        "UploadError",
        "UploadRefused",
        "UploadUrlExpired",
        "VerificationError",
        "WaitTimeout",
    ),
    "phytobatch.exports.resources": ("Export",),
    "phytobatch.receipts.resources": ("Receipt",),
    "phytobatch.resources": (
        "ClassLabel",
        "Classifier",
        "ClassifierRef",
        "Counts",
        "Crop",
        "ImageSpec",
        "Job",
        "LearnedTiling",
        "Page",
        "Place",
        "Prediction",
        "Progress",
        "Provenance",
        "RankedClass",
        "Readiness",
        "Result",
        "ResultCorrection",
        "ResultPage",
        "SidecarReport",
        "TileSums",
        "UploadTarget",
        "Work",
    ),
    "phytobatch.retry": ("RetryPolicy",),
    "phytobatch.sdk": ("Phytobatch",),
    "phytobatch.tiles.answer": ("ImageTiles", "TileExplanation"),
    "phytobatch.waiting.job_event": ("JobEvent",),
    "phytobatch.webhooks.resources": ("Delivery", "DeliveryAttempt", "JobSecret", "Webhook"),
    "phytobatch.webhooks.verification": ("verify",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AnswerTimeout",
    "ApiError",
    "AuthError",
    "ClassLabel",
    "Classifier",
    "ClassifierRef",
    "ConfigurationError",
    "Conflict",
    "Correction",
    "Counts",
    "Crop",
    "Delivery",
    "DeliveryAttempt",
    "DownloadError",
    "DownloadRefused",
    "Export",
    "ExportFailed",
    "FileChanged",
    "FileUnreadable",
    "ImageSpec",
    "ImageTiles",
    "InvalidRequest",
    "Job",
    "JobEvent",
    "JobSecret",
    "LearnedTiling",
    "LimitExceeded",
    "NetworkError",
    "NotFound",
    "Page",
    "Phytobatch",
    "PhytobatchError",
    "Place",
    "Prediction",
    "Progress",
    "Provenance",
    "RankedClass",
    "Readiness",
    "Receipt",
    "Result",
    "ResultCorrection",
    "ResultPage",
    "RetryPolicy",
    "ServerUnavailable",
    "SidecarReport",
    "TileExplanation",
    "TileSums",
    "UploadError",
    "UploadRefused",
    "UploadTarget",
    "UploadUrlExpired",
    "VerificationError",
    "WaitTimeout",
    "Webhook",
    "Work",
    "verify",
]


if not TYPE_CHECKING:  # to which any name would be one of ours

    def __getattr__(name: str) -> object:
        """Import a public name when it is first asked for (PEP 562)."""
        home = _HOME_OF.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found: object = getattr(import_module(home), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    """List the public names, also those that nobody has asked for."""
    return sorted({*globals(), *__all__})
