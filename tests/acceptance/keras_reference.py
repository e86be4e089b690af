"""``python keras_reference.py MODEL FILE…``: what Keras itself says, with nothing of ours in between.

``load_img`` and one call of the model, as the original service did it. Prints one JSON list of probabilities per file.
"""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np


def main() -> None:
    """Read the command line, print the answers."""
    model = keras.saving.load_model(sys.argv[1], compile=False)
    size = model.input_shape[1:3]
    for file in sys.argv[2:]:
        pixels = keras.utils.img_to_array(keras.utils.load_img(file, target_size=size)) / 255.0
        answer = np.asarray(model(pixels[np.newaxis], training=False))[0]
        sys.stdout.write(json.dumps([float(p) for p in answer]) + "\n")


if __name__ == "__main__":
    main()
