"""``python -m tests.acceptance.poisoned_worker``: a worker with the decoder of ``poison.py``, in every place."""

from functools import partial

from tests.acceptance import poison
from worker import serving
from worker.__main__ import main
from worker.inference import decoding
from worker.inference.isolation import IsolatedPool

# The names that the modules imported; the second is called like the class.
vars(decoding)["preprocess"] = poison.preprocess
vars(serving)["IsolatedPool"] = partial(IsolatedPool, function=poison.resized_pixels)

main()
