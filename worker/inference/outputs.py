"""The outputs of a model by name: which a manifest asks for, and what a runtime makes of their arrays.

Both runtimes get a dictionary of arrays by name. A model of the first schema has one output without a name: here it is
called ``row``, whatever its file calls it.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import Manifest
from shared.contracts.outputs import EMBEDDING_LENGTH
from worker.inference.classifier import Outputs
from worker.inference.errors import ModelUnusable, OutputInvalid

ROW = "row"  # The only output of a model of the first schema.
EMBEDDING_SCALE = 127  # Of a signed byte.

Shape = tuple[int | None, ...]
Arrays = Mapping[str, NDArray[np.float32]]


def shapes_of(manifest: Manifest) -> dict[str, Shape]:
    """Return the shape of each output that the model must have, by name; the first dimension, of images, is open."""
    named = manifest.outputs
    if named is None:
        return {ROW: (None, manifest.row_length)}
    classes = len(manifest.classes)
    table = (
        (named.probabilities, (None, classes)),
        (named.review, (None, len(manifest.review_outputs))),
        (named.map, (None, *(named.map_size or ()), classes)),
        (named.embedding, (None, EMBEDDING_LENGTH)),
        (named.crop, (None, len(manifest.crops))),
    )
    return {name: shape for name, shape in table if name is not None}


def wanted_names(manifest: Manifest, *, maps: bool) -> tuple[str, ...]:
    """Return the names of the outputs to ask a runtime for: all of them, the map only if somebody wants it."""
    left_out = None if maps or manifest.outputs is None else manifest.outputs.map
    return tuple(name for name in shapes_of(manifest) if name != left_out)


def match_outputs(what: str, found: Mapping[str, object], manifest: Manifest) -> dict[str, str]:
    """Compare the outputs that a model declares with those of its manifest; it may have others besides.

    Args:
        what: the model, for the message.
        found: the shape of each of its outputs by its name there; None, or a word, in a dimension that it leaves open.
        manifest: names them.

    Returns:
        The name in the model by the name of ``shapes_of``.

    Raises:
        ModelUnusable: an output is missing or has another shape; the message says what to do.
    """
    names = {name: name for name in shapes_of(manifest)}
    if manifest.outputs is None:
        if len(found) != 1:
            raise ModelUnusable(
                f"{what} must have one output, it has {_listed(sorted(found))}; a manifest of "
                "schema_version 2 names them."
            )
        names = {ROW: next(iter(found))}
    for name, expected in shapes_of(manifest).items():
        if names[name] not in found:
            raise ModelUnusable(
                f"{what} has no output {name!r}, which its manifest names; it gives {_listed(sorted(found))}. Write it "
                f"again (`python -m worker.training export`), or take {name!r} out of `outputs` in manifest.json."
            )
        check_dimensions(what, "output" if name == ROW else f"output {name!r}", found[names[name]], expected)
    return names


def check_dimensions(what: str, part: str, shape: object, expected: Shape) -> None:
    """Compare a shape that a model declares with the manifest's; a dimension that it leaves open fits anything.

    Raises:
        ModelUnusable: they differ.
    """
    fits = (
        isinstance(shape, Sequence)
        and len(shape) == len(expected)
        and all(not isinstance(s, int) or e is None or s == e for s, e in zip(shape, expected, strict=True))
    )
    if not fits:
        raise ModelUnusable(
            f"{what}: the model's {part} has the shape {shape}, its manifest asks for {expected}. Take the manifest "
            "that was written with this file, or correct its classes, crops, review_outputs, input_size and map_size."
        )


def outputs_of(arrays: Arrays, manifest: Manifest) -> Outputs:
    """Make the outputs of one batch of the arrays that a model gave.

    Raises:
        OutputInvalid: an array has another shape than its manifest says, or an embedding has NaN or infinity.
    """
    shapes = shapes_of(manifest)
    for name, array in arrays.items():
        if array.shape[1:] != shapes[name][1:]:
            raise OutputInvalid(
                f"Classifier {manifest.name} {manifest.version} gave {name!r} in the shape {array.shape}, its manifest "
                f"says {shapes[name]}; write the folder again, or correct its manifest.json."
            )
    named = manifest.outputs
    if named is None:
        return Outputs(_as_floats(arrays[ROW]))
    parts = [arrays[name] for name in (named.probabilities, named.review) if name is not None]
    embeddings = None if named.embedding is None else _in_bytes(arrays[named.embedding], manifest)
    crops = None if named.crop is None else _as_floats(arrays[named.crop])
    maps = None if named.map is None or named.map not in arrays else _as_floats(arrays[named.map])
    return Outputs(_as_floats(np.concatenate(parts, axis=1)), crops, embeddings, maps)


def _as_floats(array: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(array, dtype=np.float32)


def _in_bytes(embeddings: NDArray[np.float32], manifest: Manifest) -> NDArray[np.int8]:
    """Round -1 to 1 to -127 to 127; what lies outside is cut off."""
    if not np.isfinite(embeddings).all():
        raise OutputInvalid(f"Classifier {manifest.name} {manifest.version} gave NaN or infinity in an embedding.")
    return np.rint(np.clip(embeddings, -1, 1) * EMBEDDING_SCALE).astype(np.int8)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names)) or "none with a name"
