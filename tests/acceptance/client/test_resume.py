"""An upload that is killed goes on without sending finished files again."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.acceptance.client.conftest import Command
from tests.patience import PATIENCE_SECONDS, wait_for

IMAGES = 120


def uploaded(journal: list[dict[str, Any]]) -> int:
    return sum(record["record"] == "uploaded" for record in journal)


def wait_for_uploads(command: Command, count: int, process: "subprocess.Popen[str]") -> None:
    """Wait until the journal has so many uploads; fail if the process ends before."""

    def read() -> int:
        assert process.poll() is None, process.communicate()
        return uploaded(command.journal())

    wait_for(read, lambda seen: seen >= count)


def objects(environment: dict[str, str]) -> dict[str, datetime]:
    """Return when each object was written, by its key."""
    client = boto3.client(
        "s3",
        endpoint_url=environment["PHYTOBATCH_S3_ENDPOINT_URL"],
        aws_access_key_id=environment["PHYTOBATCH_S3_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["PHYTOBATCH_S3_SECRET_ACCESS_KEY"],
        region_name=environment.get("PHYTOBATCH_S3_REGION", "us-east-1"),
    )
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=environment["PHYTOBATCH_S3_BUCKET"])
    written = {entry["Key"]: entry["LastModified"] for page in pages for entry in page.get("Contents", [])}
    client.close()
    return written


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_the_same_command_again_sends_only_what_is_missing(
    stack: Any,  # noqa: ANN401  # the fixture's own type
    command: Any,  # noqa: ANN401  # as above
    make_images: Callable[[int], Path],
    sign: signal.Signals,
) -> None:
    folder = str(make_images(IMAGES))
    before = objects(stack.environment)
    process = command.start("submit", folder, "--parallel", "1")
    wait_for_uploads(command, 10, process)
    os.kill(process.pid, sign)
    process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode in {-signal.SIGKILL, 130}
    finished = uploaded(command.journal())
    assert finished < IMAGES, "the upload ended before it could be killed"
    first = {key: time for key, time in objects(stack.environment).items() if key not in before}

    time.sleep(1.1)  # Object stores keep times in whole seconds: an object that is sent again must look newer.
    answer = command.json("submit", folder, "--watch")

    assert answer["continued"] is True
    assert answer["files"]["sent_before"] == finished
    assert answer["files"]["sent"] == IMAGES - finished
    assert answer["job"]["counts"]["succeeded"] == IMAGES
    second = objects(stack.environment)
    assert sum(second.get(key) == written for key, written in first.items()) >= finished
    assert command.journal() == []
