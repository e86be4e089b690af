"""``python -m worker.training train`` with a small untrained backbone: seconds instead of minutes, for tests.

python -m tests.acceptance.small_training FOLDER --data DATA --out OUT --name NAME --version VERSION
"""

import sys
from pathlib import Path

from worker.inference.keras_classifier import import_tensorflow
from worker.training.__main__ import main

EDGE = 32  # pixels
FIRST_LAYER = "stem"
SCHEDULE = ("--epochs", "60", "--batch-size", "16", "--learning-rate", "0.003", "--trainable-from", FIRST_LAYER)


def write_backbone(path: Path) -> None:
    """Write features of pictures of ``EDGE`` pixels that tell colours and spots."""
    import_tensorflow()
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    inputs = keras.Input((EDGE, EDGE, 3))
    x = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu", name=FIRST_LAYER)(inputs)
    for _ in range(2):
        x = layers.Conv2D(64, 3, strides=2, padding="same", activation="relu")(x)
    keras.Model(inputs, layers.GlobalAveragePooling2D()(x)).save(path)


if __name__ == "__main__":
    folder, *arguments = sys.argv[1:]
    backbone = Path(folder) / "small.keras"
    write_backbone(backbone)
    raise SystemExit(main(["train", *arguments, "--backbone", str(backbone), *SCHEDULE]))
