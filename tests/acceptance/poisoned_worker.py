"""``python -m tests.acceptance.poisoned_worker``: a worker with the decoder of ``poison.py``, in every place."""

from functools import partial

from tests.acceptance import poison
from worker.__main__ import main
from worker.inference import pipeline
from worker.inference.isolate import IsolatedPreprocessor

# The names that the module imported; the second is called like the class.
PATCHES = {
    "preprocess": poison.preprocess,
    "IsolatedPreprocessor": partial(IsolatedPreprocessor, function=poison.preprocess),
}
vars(pipeline).update(PATCHES)

main()
