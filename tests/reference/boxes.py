#!/usr/bin/env python3
"""Boxes from the outputs of detectors, again: written from the layouts' papers and their authors' own programs, in numpy and
double precision, with nothing of src/ in it.

    boxes.py CASE.json      prints "label score x y w h" in parts of the picture, the surest first

CASE has layout, width, height, least_score, overlap, most, logits, place (left, top, width, height in parts of the input),
anchors where the layout has some, and outputs: a list of {file, shape, dtype}, little-endian, beside CASE.
"""

import json
import sys
from pathlib import Path

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def centres(columns, rows):
    """x and y of every cell, row by row."""
    y, x = np.mgrid[0:rows, 0:columns]
    return x.ravel().astype(float), y.ravel().astype(float)


def grids(case, strides):
    for stride in strides:
        columns, rows = -(-case["width"] // stride), -(-case["height"] // stride)
        yield stride, *centres(columns, rows)


def from_centre(x, y, w, h):
    return np.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], axis=-1)


def best(scores):
    return scores.max(axis=-1), scores.argmax(axis=-1)


# Each gives corners in pixels of the input, scores and classes.


def yolov5(case, t):
    t = t[0].reshape(-1, t[0].shape[-1])
    score, label = best(t[:, 5:] * t[:, 4:5])
    return from_centre(*t[:, :4].T), score, label


def yolov8(case, t):
    t = t[0].reshape(t[0].shape[-2:])
    t = t.T if t.shape[0] < t.shape[1] else t  # fewer numbers than candidates
    return from_centre(*t[:, :4].T), *best(t[:, 4:])


def yolox(case, t):
    t = t[0].reshape(-1, t[0].shape[-1]).copy()
    x, y, s = [], [], []
    for stride, gx, gy in grids(case, (8, 16, 32)):
        x, y, s = np.append(x, gx), np.append(y, gy), np.append(s, np.full(len(gx), stride))
    score, label = best(t[:, 5:] * t[:, 4:5])
    return from_centre((t[:, 0] + x) * s, (t[:, 1] + y) * s, np.exp(t[:, 2]) * s, np.exp(t[:, 3]) * s), score, label


def gfl(case, t, strides, middle, split):
    corners, scores, labels = [], [], []
    for level, (stride, gx, gy) in enumerate(grids(case, strides)):
        cls, reg = split(level, len(gx))
        if case["logits"]:
            cls = sigmoid(cls)
        bins = reg.shape[-1] // 4
        d = (softmax(reg.reshape(-1, 4, bins)) * np.arange(bins)).sum(axis=-1) * stride
        cx, cy = (gx + middle) * stride, (gy + middle) * stride
        corners.append(np.stack([cx - d[:, 0], cy - d[:, 1], cx + d[:, 2], cy + d[:, 3]], axis=-1))
        score, label = best(cls)
        scores.append(score)
        labels.append(label)
    return np.concatenate(corners), np.concatenate(scores), np.concatenate(labels)


def nanodet(case, t):
    if len(t) == 1:  # NanoDet-Plus
        t = t[0].reshape(-1, t[0].shape[-1])
        ends = np.cumsum([len(gx) for _, gx, _ in grids(case, (8, 16, 32, 64))])
        parts = np.split(t, ends[:-1])
        return gfl(case, t, (8, 16, 32, 64), 0, lambda level, _: (parts[level][:, :-32], parts[level][:, -32:]))
    t = [x.reshape(-1, x.shape[-1]) for x in t]

    def split(_, cells):
        pair = [x for x in t if len(x) == cells]
        return sorted(pair, key=lambda x: x.shape[1] == 32)

    return gfl(case, t, (8, 16, 32, 64)[: len(t) // 2], 0.5, split)


def fastestdet(case, t):
    t = t[0].reshape(t[0].shape[-3:])
    _, rows, columns = t.shape
    gx, gy = centres(columns, rows)
    t = t.reshape(t.shape[0], -1)
    cls, label = best(t[5:].T)
    corners = from_centre((gx + np.tanh(t[1])) / columns, (gy + np.tanh(t[2])) / rows, sigmoid(t[3]), sigmoid(t[4]))
    return corners * np.tile([case["width"], case["height"]], 2), t[0] ** 0.6 * cls**0.4, label


def anchors(case, t):
    box = next(x for x in t if x.shape[-1] == 4).reshape(-1, 4)
    cls = next(x for x in t if x.shape[-1] not in (4, 10)).reshape(len(box), -1)
    cls = softmax(cls) if case["logits"] else cls
    priors = []
    for (stride, gx, gy), sizes in zip(grids(case, case["strides"]), case["sizes"]):
        kinds = [(s * r**0.5, s / r**0.5) for s in sizes for r in case["ratios"]]
        for x, y in zip(gx, gy):
            priors += [((x + 0.5) * stride, (y + 0.5) * stride, w, h) for w, h in kinds]
    px, py, pw, ph = np.array(priors).T
    score, label = best(cls[:, 1:])
    corners = from_centre(px + box[:, 0] * 0.1 * pw, py + box[:, 1] * 0.1 * ph, pw * np.exp(box[:, 2] * 0.2),
                          ph * np.exp(box[:, 3] * 0.2))
    return corners, score, label


def ultraface(case, t):
    box = next(x for x in t if x.shape[-1] == 4).reshape(-1, 4)
    cls = next(x for x in t if x.shape[-1] != 4).reshape(len(box), -1)
    return box * np.tile([case["width"], case["height"]], 2), *best(cls[:, 1:])


def yunet(case, t):
    corners, scores = [], []
    for stride, gx, gy in grids(case, (8, 16, 32)):
        level = [x.reshape(-1, x.shape[-1]) for x in t if x.reshape(-1, x.shape[-1]).shape[0] == len(gx)]
        a, b = [x[:, 0] for x in level if x.shape[1] == 1]
        box = next(x for x in level if x.shape[1] == 4)
        corners.append(from_centre((gx + box[:, 0]) * stride, (gy + box[:, 1]) * stride, np.exp(box[:, 2]) * stride,
                                   np.exp(box[:, 3]) * stride))
        scores.append(np.sqrt(np.clip(a, 0, 1) * np.clip(b, 0, 1)))
    scores = np.concatenate(scores)
    return np.concatenate(corners), scores, np.zeros(len(scores), int)


def blazeface(case, t):
    box = next(x for x in t if x.shape[-1] == 16).reshape(-1, 16)
    cls = next(x for x in t if x.shape[-1] == 1).ravel()
    x, y = [], []
    for cells, each in ((16, 2), (8, 6)):
        gx, gy = centres(cells, cells)
        x, y = np.append(x, np.repeat((gx + 0.5) / cells, each)), np.append(y, np.repeat((gy + 0.5) / cells, each))
    w, h = case["width"], case["height"]
    return from_centre(box[:, 0] + x * w, box[:, 1] + y * h, box[:, 2], box[:, 3]), sigmoid(cls), np.zeros(len(cls), int)


def nms(case, t):
    if len(t) == 3:
        box, score, label = t[0].reshape(-1, 4), t[1].ravel(), t[2].ravel()
    elif t[0].shape[-1] == 6:
        rows = t[0].reshape(-1, 6)
        box, score, label = rows[:, :4], rows[:, 4], rows[:, 5]
    else:
        rows = t[0][t[0][:, 0] == 0]
        box, score, label = rows[:, 1:5], rows[:, 6], rows[:, 5]
    return box, score, label.astype(int)


DECODERS = {f.__name__: f for f in (yolov5, yolov8, yolox, nanodet, fastestdet, ultraface, yunet, blazeface, nms)}
DECODERS |= {"picodet": nanodet, "ssd": anchors, "retina": anchors}


def iou(one, many):
    low, high = np.maximum(one[:2], many[:, :2]), np.minimum(one[2:], many[:, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    return shared / ((one[2:] - one[:2]).prod() + (many[:, 2:] - many[:, :2]).prod(axis=1) - shared)


def suppress(corners, scores, labels, overlap):
    left = np.argsort(-scores, kind="stable")
    kept = []
    while len(left):
        first, left = left[0], left[1:]
        kept.append(first)
        covered = (iou(corners[first], corners[left]) > overlap) & (labels[left] == labels[first])
        left = left[~covered]
    return kept


def found(case, folder):
    """[label, score, x, y, w, h] of each box that stays, the surest first."""
    tensors = []
    for output in case["outputs"]:
        data = np.fromfile(folder / output["file"], dtype=output["dtype"]).reshape(output["shape"])
        tensors.append(data.astype(float))
    with np.errstate(over="ignore"):
        corners, scores, labels = DECODERS[case["layout"]](case, tensors)
    some = (scores >= case["least_score"]) & (corners[:, 2] > corners[:, 0]) & (corners[:, 3] > corners[:, 1])
    corners, scores, labels = corners[some], scores[some], labels[some]
    if case["layout"] == "nms":
        kept = np.argsort(-scores, kind="stable")
    else:
        kept = suppress(corners, scores, labels, case["overlap"])
    place = case["place"]
    rows = []
    for i in kept[: case["most"]]:
        x = (corners[i, 0::2] / case["width"] - place["left"]) / place["width"]
        y = (corners[i, 1::2] / case["height"] - place["top"]) / place["height"]
        x, y = np.clip(x, 0, 1), np.clip(y, 0, 1)
        if x[1] > x[0] and y[1] > y[0]:
            rows.append([labels[i], scores[i], x[0], y[0], x[1] - x[0], y[1] - y[0]])
    return rows


def main():
    path = Path(sys.argv[1])
    for label, *numbers in found(json.loads(path.read_text()), path.parent):
        print(label, *(f"{v:.9f}" for v in numbers))


if __name__ == "__main__":
    main()
