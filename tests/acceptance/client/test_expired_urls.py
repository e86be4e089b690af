"""A presigned URL that has expired is renewed, and the file arrives."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
import pytest
from botocore.config import Config

from phytobatch import Phytobatch, UploadUrlExpired
from phytobatch.files.discovery import find_images
from phytobatch.resources import UploadTarget
from phytobatch.submission.ledger import Ledger
from phytobatch.submission.outage import Outage
from phytobatch.submission.prepare import Preparer
from phytobatch.submission.register import Registrar
from phytobatch.submission.reporter import Silence
from phytobatch.submission.run import Run
from phytobatch.submission.transfer import Transfer
from tests.patience import PATIENCE_SECONDS


def expired(target: UploadTarget, environment: dict[str, str]) -> UploadTarget:
    """The same target with a URL whose life is over: signed for one second, used after two."""
    client = boto3.client(
        "s3",
        endpoint_url=environment["PHYTOBATCH_S3_ENDPOINT_URL"],
        aws_access_key_id=environment["PHYTOBATCH_S3_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["PHYTOBATCH_S3_SECRET_ACCESS_KEY"],
        region_name=environment.get("PHYTOBATCH_S3_REGION", "us-east-1"),
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    _, bucket, key = unquote(urlsplit(target.url).path).split("/", 2)
    url = client.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=1)
    client.close()
    return replace(target, url=url, headers={})


def test_an_expired_url_is_renewed_and_the_file_arrives(
    stack: Any,  # noqa: ANN401  # the fixture's own type
    make_images: Callable[[int], Path],
    tmp_path: Path,
) -> None:
    client = Phytobatch(stack.url, stack.api_key)
    job = client.create_job(name="expired")
    ledger = Ledger.open(tmp_path / "one.journal")
    ledger.begin(options={}, idempotency_key="unused", about={})
    run = Run(ledger, Silence(), Outage(Silence()), patience=30.0)
    preparer = Preparer(run, keep_duplicates=False)
    registrar = Registrar(client, job.id, ledger, preparer)
    (ticket,) = registrar.register(list(preparer.prepare(find_images([make_images(1)]).files)))
    stale = replace(ticket, target=expired(ticket.target, stack.environment))
    time.sleep(2.5)
    with pytest.raises(UploadUrlExpired):
        client.upload(stale.target, stale.file.path)

    Transfer(client, registrar, preparer, run).send(stale)

    assert (run.outcome.sent, run.outcome.skipped) == (1, [])
    client.commit(job.id)
    assert client.wait(job.id, timeout=PATIENCE_SECONDS).counts.succeeded == 1
    ledger.remove()
    client.close()
