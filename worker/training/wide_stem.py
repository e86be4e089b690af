"""The first convolution of an int8 model, on four pixels at a time: the same sums in half the time.

A pixel of the input has three bytes, and ONNX Runtime gathers the nine pixels under a 3 x 3 kernel one by one. Four
pixels beside each other, seen as one of twelve channels, are gathered at once; a kernel with zeros gives both outputs
that begin in them. In rows of pixels both are the same bytes, so nothing is moved.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

PIXELS = 4
STRIDE = 2
OUTPUTS = PIXELS // STRIDE  # in a row, of four pixels
COLUMNS = 2  # of the wide kernel: the four pixels of the outputs, and the four to the right
# All that the rewriting below is true for.
FITTING = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [0, 0, 1, 1], "dilations": [1, 1], "group": 1}
TO_CHANNELS_FIRST = [0, 3, 1, 2]
TO_CHANNELS_LAST = [0, 2, 3, 1]

Model = Any  # onnx.ModelProto


def widen_stem(model: Model) -> bool:
    """Rewrite input -> transposition -> 3 x 3 convolution of stride 2 -> clip; return False where there is no such."""
    from onnx import helper, numpy_helper

    graph = model.graph
    found = _stem(graph)
    if found is None:
        return False
    _, convolution, clip = found
    constants = {each.name: each for each in graph.initializer}
    kernel = numpy_helper.to_array(constants[convolution.input[1]])
    bias = numpy_helper.to_array(constants[convolution.input[2]])
    height, width = (each.dim_value for each in graph.input[0].type.tensor_type.shape.dim[1:3])
    channels, colours = kernel.shape[:2]
    shapes = {
        "stem_wide_shape": (0, height, width // PIXELS, colours * PIXELS),
        "stem_narrow_shape": (0, height // STRIDE, width // STRIDE, channels),
    }
    graph.initializer.extend(
        [
            numpy_helper.from_array(wide_kernel(kernel), "stem_wide_kernel"),
            numpy_helper.from_array(np.tile(bias, OUTPUTS), "stem_wide_bias"),
            *(numpy_helper.from_array(np.array(shape, np.int64), name) for name, shape in shapes.items()),
        ]
    )
    ahead = [
        helper.make_node("Reshape", [graph.input[0].name, "stem_wide_shape"], ["stem_wide"], "stem_wide"),
        helper.make_node("Transpose", ["stem_wide"], ["stem_in"], "stem_in", perm=TO_CHANNELS_FIRST),
        helper.make_node(
            "Conv",
            ["stem_in", "stem_wide_kernel", "stem_wide_bias"],
            ["stem_sums"],
            "stem_sums",
            kernel_shape=[3, COLUMNS],
            strides=[STRIDE, 1],
            pads=[0, 0, 1, 1],
        ),
        helper.make_node("Clip", ["stem_sums", *clip.input[1:]], ["stem_clipped"], "stem_clipped"),
        helper.make_node("Transpose", ["stem_clipped"], ["stem_last"], "stem_last", perm=TO_CHANNELS_LAST),
        helper.make_node("Reshape", ["stem_last", "stem_narrow_shape"], ["stem_narrow"], "stem_narrow"),
        helper.make_node("Transpose", ["stem_narrow"], [clip.output[0]], "stem_out", perm=TO_CHANNELS_FIRST),
    ]
    for node in found:
        graph.node.remove(node)
    for name in convolution.input[1:]:
        graph.initializer.remove(constants[name])
    for place, node in enumerate(ahead):
        graph.node.insert(place, node)
    return True


def wide_kernel(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Lay a kernel (channels, colours, 3, 3) into one of (2 channels, 4 colours, 3, 2); the rest is zero."""
    channels, colours = kernel.shape[:2]
    wide = np.zeros((OUTPUTS, channels, PIXELS, colours, 3, COLUMNS), np.float32)
    for output in range(OUTPUTS):
        for column in range(kernel.shape[3]):
            right, pixel = divmod(STRIDE * output + column, PIXELS)
            wide[output, :, pixel, :, :, right] = kernel[:, :, :, column]
    return wide.reshape(OUTPUTS * channels, PIXELS * colours, 3, COLUMNS)


def _stem(graph: Any) -> tuple[Any, Any, Any] | None:  # noqa: ANN401  # onnx.GraphProto and its nodes
    """Return transposition, convolution and clip, if each is all that the one before it is for."""
    from onnx import helper

    wanted: dict[str, dict[str, Any]] = {"Transpose": {"perm": TO_CHANNELS_FIRST}, "Conv": FITTING, "Clip": {}}
    name, found = graph.input[0].name, []
    for kind, attributes in wanted.items():
        users = [node for node in graph.node if name in node.input]
        if len(users) != 1 or users[0].op_type != kind:
            return None
        has = {each.name: helper.get_attribute_value(each) for each in users[0].attribute}
        if any(has.get(key) != value for key, value in attributes.items()):
            return None
        found.append(users[0])
        name = users[0].output[0]
    sizes = [each.dim_value for each in graph.input[0].type.tensor_type.shape.dim[1:3]]
    is_even = sizes[0] % STRIDE == 0 and sizes[1] % PIXELS == 0 and all(sizes)
    return (found[0], found[1], found[2]) if is_even and len(found[1].input) == len(wanted) else None
