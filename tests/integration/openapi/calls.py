"""Calls of every kind through the client that openapi-python-client makes: ``python calls.py URL KEY``.

It prints what came back, as JSON.
"""

import io
import json
import sys
import uuid
from typing import Any

import httpx
from generated_client import AuthenticatedClient
from generated_client.api.classifiers import list_classifiers
from generated_client.api.corrections import import_corrections
from generated_client.api.exports import export_job
from generated_client.api.geography import put_sidecar
from generated_client.api.jobs import add_images, commit_job, create_job, get_job, list_jobs, upload_job
from generated_client.models import AddImages, CreateJob, ImageIn, UploadJobBody
from generated_client.models.export_format import ExportFormat
from generated_client.types import File

PICTURE = b"\xff\xd8\xff\xd9"


def _parsed(answer: Any) -> Any:  # noqa: ANN401  # each call of the generated client has types of its own
    """Return the body of an answer that succeeded."""
    if answer.status_code >= 400:
        raise SystemExit(f"{answer.status_code}: {answer.content!r}")
    return answer.parsed


def main(url: str, key: str) -> None:
    """Create, describe, upload and commit a job; upload another one as a form; read both."""
    with AuthenticatedClient(url, key, prefix="", auth_header_name="X-API-Key") as client:
        job = _parsed(create_job.sync_detailed(client=client, body=CreateJob(name="North field", keep_days=30)))
        page = AddImages(images=[ImageIn(name="row 7/a.jpg", size=len(PICTURE), latitude=41.65, longitude=0.62)])
        for image in _parsed(add_images.sync_detailed(job.id, client=client, body=page)).images:
            headers = image.upload.headers.additional_properties
            httpx.put(image.upload.url, headers=headers, content=PICTURE).raise_for_status()
        table = File(io.BytesIO(b"filename,row\nrow 7/a.jpg,7\n"))
        report = _parsed(put_sidecar.sync_detailed(job.id, client=client, body=table))
        committed = _parsed(commit_job.sync_detailed(job.id, client=client))
        form = UploadJobBody(files=[File(io.BytesIO(PICTURE), "b.jpg", "image/jpeg")], keep_originals_days=7)
        uploaded = _parsed(upload_job.sync_detailed(client=client, body=form))
        labels = File(io.BytesIO(b"name,label\nb.jpg,rust\n"))
        corrected = _parsed(import_corrections.sync_detailed(uploaded.id, client=client, body=labels))
        exported = _parsed(export_job.sync_detailed(job.id, client=client, format_=ExportFormat.CSV))
        refused = get_job.sync_detailed(uuid.uuid4(), client=client)
        seen = {
            "classifiers": [
                f"{one.name}@{one.version}"
                for one in _parsed(list_classifiers.sync_detailed(client=client)).classifiers
            ],
            "counts": [committed.counts.total, uploaded.counts.total],
            "keep": [job.keep_days, uploaded.keep_originals_days],
            "jobs": len(_parsed(list_jobs.sync_detailed(client=client)).jobs),
            "matched": report.matched,
            "corrected": corrected.changed,
            "exported": exported.payload.read().decode("utf-8-sig").partition(",")[0],
            "problem": refused.parsed.type_,
        }
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
