"""Transfer learning in two phases: 20 epochs of a new classifier, then 10 epochs of everything.

    python3 finetune.py --start mobilenet_v2_1.0_160.onnx --images PHOTOS --out mine.onnx

PHOTOS has one folder a class. The start is an ONNX MobileNetV2 1.0 (ImageNet weights, say) or a
checkpoint of train_litter.py. Writes mine.onnx and its card mine.toml. The two phases and their
epochs are those of Leroy and Goedemé, "Optimal Distribution of CNN Computations on Edge and
Cloud"; rates and augmentation are ours.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageEnhance
from torch.nn import functional as F

from card import best_threshold, fit, write_card
from export_onnx import load_checkpoint, to_graph
from mobilenet_v2 import MobileNetV2
from onnx_file import read, write
from street_data import to_tensor

HEAD_EPOCHS, WHOLE_EPOCHS = 20, 10
HEAD_RATE, WHOLE_RATE = 3e-3, 1e-4
BATCH = 32


def from_onnx(path, classes):
    """A MobileNetV2 with a file's convolutions and a fresh classifier.

    Convolutions are matched in order and by shape; normalisation must be folded into them.
    """
    graph = read(path)
    convs = [n for n in graph.nodes if n.op == "Conv"]
    lean = any(n.attributes.get("strides") == [2, 2] and n.attributes.get("pads") == [0, 0, 1, 1]
               for n in convs)
    model = MobileNetV2(classes, lean)
    units = model.units()
    if len(units) != len(convs):
        raise ValueError(f"{path}: {len(convs)} convolutions, MobileNetV2 1.0 has {len(units)}")
    for (name, unit), node in zip(units, convs):
        weight = graph.weights[node.inputs[1]]
        if weight.shape != tuple(unit.conv.weight.shape) or len(node.inputs) < 3:
            raise ValueError(f"{path}: {node.name} does not fit {name}")
        if tuple(node.attributes.get("pads", (0,) * 4)) != unit.pads():
            raise ValueError(f"{path}: {node.name} is padded unlike {name}")
        unit.load_folded(torch.from_numpy(weight.copy()),
                         torch.from_numpy(graph.weights[node.inputs[2]].copy()))
    return model


def start_from(path, classes, seed):
    """The network to start from, with a new classifier for `classes` classes."""
    if str(path).endswith(".onnx"):
        model = from_onnx(path, classes)
    else:
        old, _ = load_checkpoint(path)
        model = MobileNetV2(classes, old.stem.lean)
        weights = {k: v for k, v in old.state_dict().items() if not k.startswith("classifier")}
        model.load_state_dict(weights, strict=False)
    with torch.no_grad():
        generator = torch.Generator().manual_seed(seed)
        model.classifier.weight.normal_(0, 0.01, generator=generator)
        model.classifier.bias.zero_()
    return model


def photographs(folder):
    """(paths, class numbers, class names), names in alphabetical order."""
    labels = sorted(p.name for p in Path(folder).iterdir() if p.is_dir())
    if len(labels) < 2:
        raise ValueError(f"{folder}: needs one folder for each of two or more classes")
    endings = {".jpg", ".jpeg", ".png"}
    paths, truth = [], []
    for k, label in enumerate(labels):
        found = sorted(p for p in (Path(folder) / label).iterdir() if p.suffix.lower() in endings)
        if len(found) < 2:
            raise ValueError(f"{folder}/{label}: needs two pictures or more")
        paths += found
        truth += [k] * len(found)
    return paths, np.array(truth), labels


def split(truth, share, seed):
    """(training, validation) indices, the same share of each class."""
    rng = np.random.default_rng(seed)
    held = []
    for k in np.unique(truth):
        members = rng.permutation(np.flatnonzero(truth == k))
        held += list(members[:max(1, round(share * len(members)))])
    return np.setdiff1d(np.arange(len(truth)), held), np.array(sorted(held))


class Album:
    """The pictures, decoded once, larger than needed so that crops can vary."""

    def __init__(self, paths, size, crop):
        self.size = size
        large = size + size // 8
        self.pictures = [fit(Image.open(p), large, crop) for p in paths]

    def plain(self, indices):
        return self._stack(self.pictures[i].resize((self.size,) * 2, Image.BILINEAR)
                           for i in indices)

    def varied(self, indices, rng):
        return self._stack(self._vary(self.pictures[i], rng) for i in indices)

    def _vary(self, image, rng):
        large = image.size[0]
        x0, y0, x1, y1 = rng.random(4) * 0.1 * large
        image = image.resize((self.size,) * 2, Image.BILINEAR, (x0, y0, large - x1, large - y1))
        if rng.random() < 0.5:
            image = image.transpose(Image.FLIP_LEFT_RIGHT)
        image = ImageEnhance.Brightness(image).enhance(rng.uniform(0.8, 1.25))
        return ImageEnhance.Color(image).enhance(rng.uniform(0.7, 1.3))

    @staticmethod
    def _stack(images):
        return to_tensor(np.stack([np.asarray(image) for image in images]))


def run_phase(model, parameters, album, truth, indices, epochs, rate, rng, log, name):
    """One phase; normalisation statistics stay as they are. Returns each epoch's mean loss."""
    optimiser = torch.optim.AdamW(parameters, rate, weight_decay=0.01)
    counts = np.bincount(truth[indices])
    weight = torch.tensor(len(indices) / (len(counts) * np.maximum(counts, 1)), dtype=torch.float32)
    losses = []
    for epoch in range(epochs):
        order, total = rng.permutation(indices), 0.0
        for i in range(0, len(order), BATCH):
            chosen = order[i:i + BATCH]
            logits = model(album.varied(chosen, rng))
            loss = F.cross_entropy(logits, torch.from_numpy(truth[chosen]), weight)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            total += loss.item() * len(chosen)
        losses.append(total / len(order))
        log(f"{name} epoch {epoch + 1}/{epochs} loss {losses[-1]:.4f}")
    return losses


def probabilities(model, album, indices):
    with torch.no_grad():
        parts = [model(album.plain(indices[i:i + BATCH])).softmax(1)
                 for i in range(0, len(indices), BATCH)]
    return torch.cat(parts).numpy()


def finetune(model, album, truth, indices, seed=1, epochs=(HEAD_EPOCHS, WHOLE_EPOCHS), log=print):
    """Both phases on the model in place; returns the losses of (head, whole)."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    model.eval()
    for p in model.parameters():
        p.requires_grad_(False)
    for p in model.classifier.parameters():
        p.requires_grad_(True)
    head = run_phase(model, list(model.classifier.parameters()), album, truth, indices, epochs[0],
                     HEAD_RATE, rng, log, "classifier")
    for p in model.parameters():
        p.requires_grad_(True)
    whole = run_phase(model, list(model.parameters()), album, truth, indices, epochs[1],
                      WHOLE_RATE, rng, log, "whole network")
    return head, whole


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--start", required=True, help="ONNX file or checkpoint")
    parser.add_argument("--images", required=True, help="one folder a class")
    parser.add_argument("--out", required=True, type=Path, help="ONNX file to write")
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--crop", choices=("squash", "center"), default="squash")
    parser.add_argument("--positive", help="the class that counts as a detection; default the last")
    parser.add_argument("--held", type=float, default=0.2, help="share kept for validation")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    paths, truth, labels = photographs(args.images)
    positive = args.positive or labels[-1]
    if positive not in labels:
        parser.error(f"--positive {positive} is none of {', '.join(labels)}")
    album = Album(paths, args.size, args.crop)
    model = start_from(args.start, len(labels), args.seed)
    learn, held = split(truth, args.held, args.seed)
    finetune(model, album, truth, learn, args.seed)
    p = probabilities(model, album, held)
    index = labels.index(positive)
    threshold = best_threshold(p[:, index], truth[held] == index) if len(labels) == 2 else 0.5
    accuracy = float((p.argmax(1) == truth[held]).mean())
    write(args.out, to_graph(model, args.out.stem, f"Fine-tuned on {len(learn)} pictures."))
    write_card(args.out.with_suffix(".toml"), args.out.stem,
               f"MobileNetV2 1.0 fine-tuned on {len(learn)} pictures; {accuracy:.3f} right of "
               f"{len(held)} held back", labels, positive, threshold, args.size, args.crop)
    print(f"{args.out}: {accuracy:.3f} right of {len(held)} held-back pictures")


if __name__ == "__main__":
    main()
