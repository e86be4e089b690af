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
from phytobatch.resources import (
    ClassifierRef,
    Counts,
    ImageSpec,
    Job,
    Model,
    Page,
    Place,
    Prediction,
    Progress,
    Result,
    ResultPage,
    SidecarReport,
    UploadTarget,
)
from phytobatch.retry import RetryPolicy
from phytobatch.sdk import Phytobatch
from phytobatch.waiting.job_event import JobEvent
from phytobatch.webhooks.resources import Delivery, DeliveryAttempt, JobSecret, Webhook
from phytobatch.webhooks.verification import verify

__all__ = [
    "AnswerTimeout",
    "ApiError",
    "AuthError",
    "ClassifierRef",
    "ConfigurationError",
    "Conflict",
    "Correction",
    "Counts",
    "Delivery",
    "DeliveryAttempt",
    "DownloadError",
    "DownloadRefused",
    "Export",
    "ExportFailed",
    "FileChanged",
    "FileUnreadable",
    "ImageSpec",
    "InvalidRequest",
    "Job",
    "JobEvent",
    "JobSecret",
    "LimitExceeded",
    "Model",
    "NetworkError",
    "NotFound",
    "Page",
    "Phytobatch",
    "PhytobatchError",
    "Place",
    "Prediction",
    "Progress",
    "Result",
    "ResultPage",
    "RetryPolicy",
    "ServerUnavailable",
    "SidecarReport",
    "UploadError",
    "UploadRefused",
    "UploadTarget",
    "UploadUrlExpired",
    "VerificationError",
    "WaitTimeout",
    "Webhook",
    "verify",
]
