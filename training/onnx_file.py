"""Reading and writing ONNX files without the onnx package.

Field numbers are those of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto);
the wire format is https://protobuf.dev/programming-guides/encoding/. Only what a plain feed-forward
network of float tensors needs is known here; other fields are skipped on reading.
"""

import struct
from dataclasses import dataclass, field

import numpy as np

FLOAT, INT64 = 1, 7
_ATTR_FLOAT, _ATTR_INT, _ATTR_STRING, _ATTR_INTS = 1, 2, 3, 7


@dataclass
class Node:
    op: str
    name: str
    inputs: list
    outputs: list
    attributes: dict = field(default_factory=dict)


@dataclass
class Graph:
    """A model's graph; shapes are lists of ints and, for symbolic dimensions, names."""

    name: str
    nodes: list
    weights: dict  # name -> numpy array
    inputs: dict  # name -> shape
    outputs: dict
    opset: int = 13
    doc: str = ""


def _varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _int(number, value):
    return _varint(number << 3) + _varint(int(value))


def _bytes(number, value):
    value = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _attribute(name, value):
    body = _bytes(1, name)
    if isinstance(value, float):
        return body + _varint(2 << 3 | 5) + struct.pack("<f", value) + _int(20, _ATTR_FLOAT)
    if isinstance(value, (list, tuple)):
        return body + b"".join(_int(8, v) for v in value) + _int(20, _ATTR_INTS)
    if isinstance(value, str):
        return body + _bytes(4, value) + _int(20, _ATTR_STRING)
    return body + _int(3, value) + _int(20, _ATTR_INT)


def _node(node):
    body = b"".join(_bytes(1, name) for name in node.inputs)
    body += b"".join(_bytes(2, name) for name in node.outputs)
    body += _bytes(3, node.name) + _bytes(4, node.op)
    return body + b"".join(_bytes(5, _attribute(k, v)) for k, v in node.attributes.items())


def _tensor(name, array):
    body = b"".join(_int(1, d) for d in array.shape)
    return body + _int(2, FLOAT) + _bytes(8, name) + _bytes(9, array.astype("<f4").tobytes())


def _value(name, shape):
    dims = b"".join(_bytes(1, _bytes(2, d) if isinstance(d, str) else _int(1, d)) for d in shape)
    return _bytes(1, name) + _bytes(2, _bytes(1, _int(1, FLOAT) + _bytes(2, dims)))


def write(path, graph, producer="fogline training"):
    """Writes the graph as an ONNX model of IR version 7."""
    body = b"".join(_bytes(1, _node(n)) for n in graph.nodes) + _bytes(2, graph.name)
    body += b"".join(_bytes(5, _tensor(k, v)) for k, v in graph.weights.items())
    body += b"".join(_bytes(11, _value(k, s)) for k, s in graph.inputs.items())
    body += b"".join(_bytes(12, _value(k, s)) for k, s in graph.outputs.items())
    model = _int(1, 7) + _bytes(2, producer) + _bytes(6, graph.doc) + _bytes(7, body)
    with open(path, "wb") as file:
        file.write(model + _bytes(8, _bytes(1, "") + _int(2, graph.opset)))


def _fields(data):
    """Yields (field number, value): ints for varints, memoryviews for the rest."""
    data = memoryview(data)
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = varint()
        wire = key & 7
        if wire == 0:
            value = varint()
            yield key >> 3, value - (1 << 64) if value >> 63 else value
            continue
        size = varint() if wire == 2 else {1: 8, 5: 4}.get(wire)
        if size is None or at + size > len(data):
            raise ValueError("not an ONNX file, or cut short")
        yield key >> 3, data[at:at + size]
        at += size


def _packed(value):
    """A repeated int field's values, packed or not."""
    if isinstance(value, int):
        return [value]
    return [v for _, v in _fields(b"".join(b"\x08" + p for p in _split(bytes(value))))]


def _split(raw):
    start = 0
    for i, byte in enumerate(raw):
        if byte < 0x80:
            yield raw[start:i + 1]
            start = i + 1


def _read_tensor(data):
    dims, kind, name, raw, floats = [], FLOAT, "", None, b""
    for number, value in _fields(data):
        if number == 1:
            dims += _packed(value)
        elif number == 2:
            kind = value
        elif number == 4:
            floats += bytes(value)
        elif number == 8:
            name = bytes(value).decode()
        elif number == 9:
            raw = bytes(value)
    if kind not in (FLOAT, INT64):
        raise ValueError(f"tensor {name}: data type {kind} is not supported here")
    kind = "<f4" if kind == FLOAT else "<i8"
    return name, np.frombuffer(raw if raw is not None else floats, kind).reshape(dims)


def _read_attribute(data):
    name, value = "", None
    ints = []
    for number, v in _fields(data):
        if number == 1:
            name = bytes(v).decode()
        elif number == 2:
            value = struct.unpack("<f", v)[0]
        elif number == 3:
            value = v
        elif number == 4:
            value = bytes(v).decode()
        elif number == 8:
            ints += _packed(v)
    return name, ints if ints else value


def _read_node(data):
    node = Node("", "", [], [])
    for number, value in _fields(data):
        if number == 1:
            node.inputs.append(bytes(value).decode())
        elif number == 2:
            node.outputs.append(bytes(value).decode())
        elif number == 3:
            node.name = bytes(value).decode()
        elif number == 4:
            node.op = bytes(value).decode()
        elif number == 5:
            key, attribute = _read_attribute(value)
            node.attributes[key] = attribute
    return node


def _read_value(data):
    name, shape = "", []
    for number, value in _fields(data):
        if number == 1:
            name = bytes(value).decode()
        elif number == 2:
            tensor = dict(_fields(value)).get(1, b"")
            for _, dim in _fields(dict(_fields(tensor)).get(2, b"")):
                parts = dict(_fields(dim))
                shape.append(bytes(parts[2]).decode() if 2 in parts else parts.get(1, 0))
    return name, shape


def read(path):
    """The graph of an ONNX file; raises ValueError where it is no such file."""
    graph = Graph("", [], {}, {}, {})
    with open(path, "rb") as file:
        model = file.read()
    body = b""
    for number, value in _fields(model):
        if number == 6:
            graph.doc = bytes(value).decode()
        elif number == 7:
            body = value
        elif number == 8:
            parts = dict(_fields(value))
            if not bytes(parts.get(1, b"")):
                graph.opset = parts.get(2, 0)
    for number, value in _fields(body):
        if number == 1:
            graph.nodes.append(_read_node(value))
        elif number == 2:
            graph.name = bytes(value).decode()
        elif number == 5:
            name, array = _read_tensor(value)
            graph.weights[name] = array
        elif number in (11, 12):
            name, shape = _read_value(value)
            (graph.inputs if number == 11 else graph.outputs)[name] = shape
    if not graph.nodes:
        raise ValueError(f"{path}: no graph in this file")
    return graph
