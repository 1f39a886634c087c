"""Writes a trained MobileNetV2 as an ONNX file whose names read well where the network is cut.

    python3 export_onnx.py litter.pt ../models/litter.onnx
"""

import argparse

import numpy as np
import torch

from mobilenet_v2 import MobileNetV2
from onnx_file import Graph, Node, write


def to_graph(model, name="litter", doc="", image="image", logits="logits"):
    """The model as a Graph: batch normalisation folded, ReLU6 as Clip, nothing else.

    A tensor carries the name of the layer that is finished with it: `block5/expand` is what
    follows the ReLU6, `block5` what follows the residual sum.
    """
    nodes, weights = [], {}
    weights["relu6/min"] = np.array(0.0, np.float32)
    weights["relu6/max"] = np.array(6.0, np.float32)

    def convolve(source, label, unit):
        weight, bias = unit.folded()
        weights[f"{label}/weight"] = weight.numpy()
        weights[f"{label}/bias"] = bias.numpy()
        conv = unit.conv
        out = label if unit.linear else f"{label}/conv"
        nodes.append(Node("Conv", out, [source, f"{label}/weight", f"{label}/bias"], [out], {
            "dilations": [1, 1], "group": conv.groups, "kernel_shape": list(conv.kernel_size),
            "pads": list(unit.pads()), "strides": list(conv.stride)}))
        if not unit.linear:
            nodes.append(Node("Clip", label, [out, "relu6/min", "relu6/max"], [label]))
        return label

    at = convolve(image, "stem", model.stem)
    for i, block in enumerate(model.blocks, 1):
        entry = at
        for part, unit in block.units():
            at = convolve(at, f"block{i}/{part}", unit)
        if block.residual:
            nodes.append(Node("Add", f"block{i}", [entry, at], [f"block{i}"]))
            at = f"block{i}"
    at = convolve(at, "head", model.head)
    nodes.append(Node("GlobalAveragePool", "pool", [at], ["pool"]))
    nodes.append(Node("Flatten", "flatten", ["pool"], ["flatten"], {"axis": 1}))
    weights["classifier/weight"] = model.classifier.weight.detach().numpy()
    weights["classifier/bias"] = model.classifier.bias.detach().numpy()
    nodes.append(Node("Gemm", "classifier", ["flatten", "classifier/weight", "classifier/bias"],
                      [logits], {"alpha": 1.0, "beta": 1.0, "transB": 1}))
    classes = model.classifier.out_features
    return Graph(name, nodes, weights, {image: ["batch", 3, "height", "width"]},
                 {logits: ["batch", classes]}, 13, doc)


def load_checkpoint(path):
    """(model in eval mode, labels) from a file written by `save_checkpoint`."""
    saved = torch.load(path, map_location="cpu")
    model = MobileNetV2(len(saved["labels"]), saved["lean"])
    model.load_state_dict(saved["weights"])
    return model.eval(), saved["labels"]


def save_checkpoint(path, model, labels, lean=False):
    torch.save({"weights": model.state_dict(), "labels": list(labels), "lean": lean}, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("onnx")
    parser.add_argument("--doc", default="Street scenes with and without litter; rendered data.")
    args = parser.parse_args()
    model, labels = load_checkpoint(args.checkpoint)
    write(args.onnx, to_graph(model.float(), "litter", args.doc))
    print(f"{args.onnx}: {len(labels)} classes, {', '.join(labels)}")


if __name__ == "__main__":
    main()
