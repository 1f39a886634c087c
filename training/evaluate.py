"""How good an exported network is: accuracy, confusion, and by size and kind of litter.

    python3 evaluate.py ../models/litter.onnx --set DATA/heldout --threshold 0.5
    python3 evaluate.py ../models/litter.onnx --calibrate DATA/fresh0,DATA/fresh1
    python3 evaluate.py ../models/litter.onnx --pictures ../models/demo

The ONNX file itself is run, by interpreter.py. --calibrate chooses the threshold on sets joined by
commas. --pictures takes a folder with labels.tsv or with one sub-folder a class.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from card import best_threshold, fit
from interpreter import run
from onnx_file import read
from street_data import JoinedSets, to_tensor

LABELS = ("clean", "litter")
BINS = (0, 9, 11, 14, 20, 30, 50, 1000)


def litter_scores(graph, batch_of, count):
    """Probability of litter of `count` pictures; batch_of(indices) gives their tensor."""
    out = []
    for i in range(0, count, 32):
        logits = next(iter(run(graph, batch_of(range(i, min(i + 32, count)))).values()))
        out.append(torch.from_numpy(logits).softmax(1)[:, 1].numpy())
    return np.concatenate(out)


def report(title, scores, truth, threshold):
    """Prints and returns the accuracy."""
    said = scores > threshold
    table = [[int(((truth == t) & (said == s)).sum()) for s in (0, 1)] for t in (0, 1)]
    accuracy = (table[0][0] + table[1][1]) / len(truth)
    print(f"{title}: {accuracy:.4f} of {len(truth)} right; clean {table[0][0]} right "
          f"{table[0][1]} wrong, litter {table[1][1]} right {table[1][0]} wrong")
    return accuracy


def by_side(source, scores, threshold):
    """Recall by the largest piece's visible side at 160, and by what it is."""
    litter = source.labels == 1
    for lo, hi in zip(BINS, BINS[1:]):
        k = litter & (source.sides >= lo) & (source.sides < hi)
        if k.any():
            print(f"    litter of {lo}-{hi} px: {(scores[k] > threshold).mean():.3f} of {k.sum()}")
    for low in BINS[1:4]:
        k = source.sides >= low
        right = (scores[k] > threshold) == litter[k]
        print(f"    scenes whose main thing is {low} px or more: {right.mean():.4f} of {k.sum()}")
    main = np.array([n.split(",")[0] for n in source.names])
    for name in sorted(set(main[litter])):
        k = litter & (main == name)
        print(f"    {name}: {(scores[k] > threshold).mean():.3f} of {k.sum()}")


def pictures(folder):
    """(paths, truth) of a folder with labels.tsv or one sub-folder a class."""
    folder = Path(folder)
    if (folder / "labels.tsv").exists():
        rows = [r.split("\t") for r in (folder / "labels.tsv").read_text().split("\n")[1:] if r]
        return [folder / r[0] for r in rows], np.array([LABELS.index(r[1]) for r in rows])
    found = [(p, k) for k, label in enumerate(LABELS) for p in sorted((folder / label).iterdir())]
    return [p for p, _ in found], np.array([k for _, k in found])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("onnx")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--pictures", action="append", default=[])
    parser.add_argument("--calibrate")
    parser.add_argument("--threshold", type=float, default=0.5)
    parser.add_argument("--sizes", default="160,224")
    args = parser.parse_args()
    graph = read(args.onnx)
    threshold, sizes = args.threshold, [int(s) for s in args.sizes.split(",")]
    if args.calibrate:
        source = JoinedSets(args.calibrate.split(","))
        scores = litter_scores(graph, lambda k: source.batch(k, 160), len(source))
        threshold = best_threshold(scores, source.labels == 1)
        report(f"{args.calibrate} at 160, threshold {threshold}", scores, source.labels, threshold)
    for folder in args.set:
        source = JoinedSets(folder.split(","))
        for side in sizes:
            scores = litter_scores(graph, lambda k: source.batch(k, side), len(source))
            report(f"{folder} at {side}", scores, source.labels, threshold)
            by_side(source, scores, threshold)
        side = sizes[0]
        box = litter_scores(graph, lambda k: source.batch(k, side, Image.BOX), len(source))
        report(f"{folder} at {side} with a box filter", box, source.labels, threshold)
    for folder in args.pictures:
        paths, truth = pictures(folder)
        images = [Image.open(p) for p in paths]
        for side in sizes:
            scores = litter_scores(graph, lambda k: to_tensor(np.stack(
                [np.asarray(fit(images[i], side, "squash")) for i in k])), len(paths))
            report(f"{folder} at {side}", scores, truth, threshold)
            for path, score, t in zip(paths, scores, truth):
                if len(paths) <= 60 and (score > threshold) != (t == 1):
                    print(f"    wrong: {path.name}, {LABELS[t]}, litter {score:.2f}")


if __name__ == "__main__":
    main()
