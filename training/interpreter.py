"""Runs an exported network node by node with torch: does the file say what was trained?"""

import numpy as np
import torch
from torch.nn import functional as F


def run(graph, image):
    """The outputs, name -> array, of a `Graph` for one float input [batch, 3, height, width]."""
    values = {k: torch.from_numpy(np.array(v)) for k, v in graph.weights.items()}
    values[next(iter(graph.inputs))] = torch.as_tensor(image)
    with torch.no_grad():
        for node in graph.nodes:
            args = [values[name] for name in node.inputs]
            values[node.outputs[0]] = _OPS[node.op](node.attributes, *args)
    return {name: values[name].numpy() for name in graph.outputs}


def _conv(attributes, x, weight, bias=None):
    top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
    stride = tuple(attributes.get("strides", (1, 1)))
    groups = attributes.get("group", 1)
    if top == bottom and left == right:
        return F.conv2d(x, weight, bias, stride, (top, left), groups=groups)
    return F.conv2d(F.pad(x, (left, right, top, bottom)), weight, bias, stride, groups=groups)


def _gemm(attributes, x, weight, bias):
    return x @ (weight.T if attributes.get("transB") else weight) + bias


_OPS = {
    "Conv": _conv,
    "Clip": lambda _, x, low, high: torch.clamp(x, float(low), float(high)),
    "Add": lambda _, a, b: a + b,
    "GlobalAveragePool": lambda _, x: x.mean((2, 3), keepdim=True),
    "Flatten": lambda _, x: x.flatten(1),
    "Gemm": _gemm,
}
