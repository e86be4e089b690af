"""What the original service does with a folder of photographs, in a process of its own; nothing of ours is in between.

``python tests/benchmarks/original_loop.py FOLDER MODEL OFFSET SCALE`` prints images per second. One picture after the
other: ``load_img`` with the model's size, a batch of one, and ``model.predict``. The first answer is not counted, since
TensorFlow traces the model for it.
"""

import os
import sys
import time
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np


def main() -> None:
    """Read the command line, warm up, time the loop."""
    folder, model_file, offset, scale = sys.argv[1:5]
    model = keras.saving.load_model(model_file, compile=False)
    files = sorted(Path(folder).iterdir())

    def answer(file: Path) -> int:
        image = keras.utils.load_img(file, target_size=model.input_shape[1:3])
        pixels = (keras.utils.img_to_array(image) - float(offset)) * float(scale)
        return int(np.argmax(model.predict(np.expand_dims(pixels, 0), verbose=0)))

    answer(files[0])
    began = time.perf_counter()
    for file in files:
        answer(file)
    sys.stdout.write(f"{len(files) / (time.perf_counter() - began):.3f}\n")


if __name__ == "__main__":
    main()
