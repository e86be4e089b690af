"""Whether an answer depends on the size of the file: crops of full-size photographs at 4000, 1000 and 256 pixels.

    python -m tests.benchmarks.sizes --data ../shared/data

Each of a hundred crops is written as a JPEG three times; it agrees when the label is the same in all three and no
probability differs by more than 0.1.
"""

import argparse
import io
from pathlib import Path

import numpy as np
from PIL import Image

from tests.benchmarks.served import shipped
from worker.inference.interpret import interpret
from worker.inference.preprocess import preprocess

EDGES = (4000, 1000, 256)
CROPS = 10
LARGEST_DIFFERENCE = 0.1
QUALITY = 90


def main() -> None:
    """Print how many agree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    photos = sorted((parser.parse_args().data / "leaves-full-size").rglob("*.jpg"))
    classifier = shipped()
    manifest = classifier.manifest
    rng = np.random.default_rng(0)
    differences, same = [], 0
    for photo in photos:
        for crop in _crops(photo, rng):
            rows = [
                classifier.classify(preprocess(data, manifest.preprocessing, manifest.input_size)[np.newaxis]).rows[0]
                for data in (_written(crop, edge) for edge in EDGES)
            ]
            found = [interpret(row, manifest) for row in rows]
            spread = np.ptp([list(one.probabilities.values()) for one in found], axis=0).max()
            differences.append(float(spread))
            same += len({one.label for one in found}) == 1 and spread <= LARGEST_DIFFERENCE
    print(f"{same} of {len(differences)} agree at {EDGES} pixels; largest difference {max(differences):.3f}, ")
    print(f"median {np.median(differences):.4f}, 95th percentile {np.quantile(differences, 0.95):.3f}")


def _crops(photo: Path, rng: np.random.Generator) -> list[Image.Image]:
    """The whole photograph, and parts of it that are at least half as wide and high."""
    with Image.open(photo) as image:
        whole = image.convert("RGB")
    crops = [whole]
    for _ in range(CROPS - 1):
        share = rng.uniform(0.5, 1.0)
        width, height = round(whole.width * share), round(whole.height * share)
        left, top = int(rng.integers(whole.width - width + 1)), int(rng.integers(whole.height - height + 1))
        crops.append(whole.crop((left, top, left + width, top + height)))
    return crops


def _written(picture: Image.Image, edge: int) -> bytes:
    scale = edge / max(picture.size)
    stream = io.BytesIO()
    size = (round(picture.width * scale), round(picture.height * scale))
    picture.resize(size, Image.Resampling.LANCZOS).save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()


if __name__ == "__main__":
    main()
