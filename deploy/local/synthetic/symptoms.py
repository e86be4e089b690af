"""The signs of the diseases on a leaf, simplified: enough for a demonstration, not for a diagnosis."""

import numpy as np

from deploy.local.synthetic.leaf import Shape
from deploy.local.synthetic.texture import Plane, cloud, mix, step

MILDEW = (222, 226, 216)
RUST_CORE = (172, 74, 16)
RUST_BODY = (222, 128, 28)
RUST_HALO = (206, 190, 66)
MOTTLE = (150, 156, 70)


def powdery_mildew(picture: Plane, shape: Shape, rng: np.random.Generator) -> Plane:
    """Paint white felt in patches that run together, thicker along the veins, with a grain of its own."""
    size = shape.mask.shape[0], shape.mask.shape[1]
    patches = cloud(size, rng, cells=rng.uniform(5, 10), octaves=5)
    felt = step(patches, rng.uniform(0.22, 0.36), 0.66) * (0.75 + 0.25 * shape.veins)
    grain = 0.72 + 0.28 * cloud(size, rng, cells=90, octaves=2)
    picture = mix(picture, MOTTLE, step(patches, 0.3, 0.6) * shape.mask * 0.25)
    return mix(picture, MILDEW, felt * grain * shape.mask * rng.uniform(0.8, 0.95))


def rust(picture: Plane, shape: Shape, rng: np.random.Generator) -> Plane:
    """Paint orange spots with a darker core and a yellow halo, a few large and many small."""
    halo, body, core = (np.zeros_like(shape.mask) for _ in range(3))
    height, width = shape.mask.shape
    on_leaf = np.argwhere((shape.mask > 0.95) & (np.abs(shape.across) < 0.9))  # noqa: PLR2004  # not on the margin
    count = int(rng.integers(14, 40))
    for top, left in on_leaf[rng.integers(len(on_leaf), size=count)] if len(on_leaf) else ():
        radius = min(height, width) * rng.uniform(0.012, 0.034)
        reach = int(radius * 3) + 1
        rows, columns = slice(max(0, top - reach), top + reach), slice(max(0, left - reach), left + reach)
        y, x = np.mgrid[rows.start : min(height, rows.stop), columns.start : min(width, columns.stop)]
        squeeze = rng.uniform(0.8, 1.25)
        distance = np.hypot((y - top) * squeeze, (x - left) / squeeze).astype(np.float32) / radius
        distance += 0.25 * (cloud(distance.shape, rng, cells=4, octaves=2) - 0.5)
        for plane, inner, outer in ((halo, 0.8, 2.1), (body, 0.6, 1.05), (core, 0.1, 0.55)):
            np.maximum(plane[rows, columns], step(distance, outer, inner), out=plane[rows, columns])
    picture = mix(picture, RUST_HALO, halo * shape.mask * 0.7)
    picture = mix(picture, RUST_BODY, body * shape.mask * 0.95)
    return mix(picture, RUST_CORE, core * shape.mask * 0.7)
