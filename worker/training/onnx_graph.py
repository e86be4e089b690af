"""The graph of an ONNX file in an order and with names that depend on nothing but its operations.

tf2onnx numbers what it makes through the life of a process and orders weights by sets of names, so that the same model
would be another file in each process, with another SHA-256 in its manifest.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

GRAPH = "classifier"
IMAGES = "images"  # The name of the dimension that is open.

Graph = Any  # onnx publishes no types.
Node = Any


def put_in_order(graph: Graph, shapes: Mapping[str, Sequence[int | None]]) -> None:
    """Sort the nodes from the outputs back, name values by their place, and state the shapes of the outputs.

    A graph with parts inside of its nodes (loops, branches) is left as it is.

    Args:
        graph: changed in place; the names of its inputs and outputs stay.
        shapes: of the outputs by name, or of the only output; None for the number of images.
    """
    if any(attribute.HasField("g") or attribute.graphs for node in graph.node for attribute in node.attribute):
        return
    graph.name, graph.doc_string = GRAPH, ""
    nodes = list(_from_the_outputs(graph))
    names = _names_by_place(graph, nodes)
    for number, node in enumerate(nodes):
        node.name = f"{node.op_type}_{number}"
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    weights = [weight for weight in graph.initializer if weight.name in names]
    for weight in weights:
        weight.name = names[weight.name]
    _replace(graph.node, nodes)
    _replace(graph.initializer, sorted(weights, key=lambda weight: int(weight.name.removeprefix("weight_"))))
    del graph.value_info[:]
    _replace(graph.output, sorted(graph.output, key=lambda output: str(output.name)))
    for dimension in (d for value in graph.input for d in value.type.tensor_type.shape.dim if d.dim_param):
        dimension.dim_param = IMAGES
    for output in graph.output:
        only = next(iter(shapes.values())) if len(shapes) == 1 else None
        _state_shape(output, shapes.get(output.name, only))


def _from_the_outputs(graph: Graph) -> Iterator[Node]:
    """Yield the nodes that the outputs need, each after those that it needs: depth first, without recursion."""
    made_by = {name: node for node in graph.node for name in node.output}
    done = set[str]()
    waiting = [(made_by[name], False) for name in sorted((o.name for o in graph.output), reverse=True)]
    while waiting:
        node, is_ready = waiting.pop()
        if node.output[0] in done:
            continue
        if is_ready:
            done.add(node.output[0])
            yield node
        else:
            waiting.append((node, True))
            waiting += [(made_by[name], False) for name in reversed(node.input) if name in made_by]


def _names_by_place(graph: Graph, nodes: Sequence[Node]) -> dict[str, str]:
    """Return the new name of each value and weight by its old one, numbered in the order of their first use."""
    kept = {value.name for value in (*graph.input, *graph.output)} | {""}
    weights = {weight.name for weight in graph.initializer}
    names = dict[str, str]()
    for node in nodes:
        for name in (*node.input, *node.output):
            if name not in kept and name not in names:
                names[name] = f"{'weight' if name in weights else 'value'}_{len(names)}"
    return names


def _replace(field: Any, values: Sequence[Any]) -> None:  # noqa: ANN401  # as above
    copies = [type(value).FromString(value.SerializeToString(deterministic=True)) for value in values]
    del field[:]
    field.extend(copies)


def _state_shape(output: Any, shape: Sequence[int | None] | None) -> None:  # noqa: ANN401  # as above
    if shape is None:
        return
    dimensions = output.type.tensor_type.shape.dim
    del dimensions[:]
    for size in shape:
        if size is None:
            dimensions.add().dim_param = IMAGES
        else:
            dimensions.add().dim_value = size
