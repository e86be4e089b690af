"""The object store goes away in mid-upload and comes back; the upload waits, and sends no file twice."""

import time
from collections.abc import Callable
from pathlib import Path

from tests.acceptance.client.conftest import Command
from tests.acceptance.client.test_resume import uploaded, wait_for_uploads
from tests.acceptance.system import System
from tests.patience import PATIENCE_SECONDS

IMAGES = 120


def test_an_upload_goes_on_when_the_network_is_back(
    stack: System,
    command: Command,
    make_images: Callable[[int], Path],
) -> None:
    process = command.start("submit", str(make_images(IMAGES)), "--parallel", "1", "--watch")
    wait_for_uploads(command, 10, process)
    stack.servers.objects.kill()
    at_the_loss = uploaded(command.journal())
    time.sleep(3)
    assert process.poll() is None, process.communicate()
    stack.servers.objects.restart()
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, f"{out} {err}"
    assert at_the_loss < IMAGES, "the upload was over before the network was lost"
    with stack.client() as api:
        (job,) = [job for job in api.jobs() if job.counts.total == IMAGES]
    assert job.counts.succeeded == IMAGES
