"""``python -m tests.benchmarks.paced_worker``: a worker of a speed that is known, whatever else the machine does.

Everything of it is real but decoding and classification: an image takes ``PACE_SECONDS``, one image at a time over all
lanes, as if the processors were as fast as that; the classifier answers once, and then always the same.
"""

import os
import threading
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker import __main__ as worker
from worker.inference import preprocess as decoding
from worker.inference.classifier import Outputs
from worker.inference.onnx_classifier import OnnxClassifier

PACE = "PACE_SECONDS"

_turn = threading.Lock()
_answers: list[NDArray[np.float32]] = []
_classify = OnnxClassifier.classify


def paced(_data: bytes, _how: object, size: tuple[int, int], **_: Any) -> NDArray[np.float32]:  # noqa: ANN401  # as below
    """In the place of ``worker.inference.preprocess.preprocess``: the time of a picture, and none of its pixels."""
    with _turn:
        time.sleep(float(os.environ[PACE]))
    return np.zeros((*size, 3), np.float32)


def the_same(classifier: OnnxClassifier, batch: NDArray[np.float32], *, maps: bool = False) -> Outputs:
    """In the place of ``OnnxClassifier.classify``."""
    if not _answers:
        _answers.append(_classify(classifier, batch[:1], maps=maps).rows)
    return Outputs(np.repeat(_answers[0], len(batch), axis=0))


if __name__ == "__main__":
    decoding.preprocess = paced  # type: ignore[assignment]  # before the pipeline takes it
    OnnxClassifier.classify = the_same  # type: ignore[assignment, method-assign]
    worker.main()
