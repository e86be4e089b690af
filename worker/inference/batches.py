"""What every runtime does with a batch, whatever runs the model."""

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import Manifest
from worker.inference.classifier import Classifier
from worker.inference.interpret import check_outputs

CHANNELS = 3


def check_shape(batch: NDArray[np.float32], manifest: Manifest, batch_size: int) -> None:
    """Make sure that a batch is (1 to ``batch_size``, height, width, 3).

    Raises:
        ValueError: it is not.
    """
    wanted = (*manifest.input_size, CHANNELS)
    if batch.shape[1:] != wanted or not 1 <= len(batch) <= batch_size:
        raise ValueError(f"the batch must be (1 to {batch_size}, {wanted}), got {batch.shape}")


def warm_up(classifier: Classifier) -> None:
    """Run a model twice and check that it answers as its manifest says.

    Raises:
        OutputInvalid: it does not.
    """
    shape = (classifier.batch_size, *classifier.manifest.input_size, CHANNELS)
    noise = np.random.default_rng(0).random(shape, dtype=np.float32)
    check_outputs(classifier.classify(noise), classifier.manifest)
    check_outputs(classifier.classify(np.zeros(shape, np.float32)), classifier.manifest)
