#!/usr/bin/env python3
"""Mean average precision once more, after COCOeval's definition, in numpy: 101 recalls, 100 boxes a class and picture, crowds
ignored, all areas.

    average_precision.py CASE.json      prints "map50 map50_95"

CASE is a list of pictures, each {"truth": [[label, x, y, w, h, crowd]], "found": [[label, score, x, y, w, h]]}.
"""

import json
import sys

import numpy as np


def overlaps(found, truth, crowd):
    """One row a found box, one column an object."""
    f, t = found[:, None, :], truth[None, :, :]
    size = np.minimum(f[..., :2] + f[..., 2:], t[..., :2] + t[..., 2:]) - np.maximum(f[..., :2], t[..., :2])
    shared = np.clip(size, 0, None).prod(axis=-1)
    own, other = f[..., 2:].prod(axis=-1), t[..., 2:].prod(axis=-1)
    return shared / np.where(crowd[None, :], own, own + other - shared)


def evaluate_image(truth, found, threshold):
    """(scores, hit, ignored) of the found boxes, and how many objects count."""
    truth = sorted(truth, key=lambda t: t[5])
    found = sorted(found, key=lambda f: -f[1])[:100]
    crowd = np.array([bool(t[5]) for t in truth], bool)
    hit, ignored = np.zeros(len(found), bool), np.zeros(len(found), bool)
    if truth and found:
        matrix = overlaps(np.array([f[2:] for f in found]), np.array([t[1:5] for t in truth]), crowd)
        used = np.zeros(len(truth), bool)
        for i, row in enumerate(matrix):
            free = ~used & ~crowd & (row >= threshold)
            choice = free if free.any() else crowd & (row >= threshold)
            if not choice.any():
                continue
            # Of equals the last, as the loop of COCOeval takes them.
            at = len(row) - 1 - np.argmax(np.where(choice, row, -1)[::-1])
            if crowd[at]:
                ignored[i] = True
            else:
                hit[i], used[at] = True, True
    return np.array([f[1] for f in found]), hit, ignored, int((~crowd).sum())


def average_precision(pictures, label, threshold):
    parts = [
        evaluate_image([t for t in p["truth"] if t[0] == label], [f for f in p["found"] if f[0] == label], threshold)
        for p in pictures
    ]
    count = sum(p[3] for p in parts)
    if count == 0:
        return None
    scores, hit, ignored = (np.concatenate([p[i] for p in parts]) for i in range(3))
    order = np.argsort(-scores, kind="mergesort")
    order = order[~ignored.astype(bool)[order]]
    true = np.cumsum(hit[order].astype(float))
    false = np.cumsum(1 - hit[order].astype(float))
    recall, precision = true / count, true / np.maximum(true + false, np.spacing(1))
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(recall, np.linspace(0, 1, 101), side="left")
    return np.where(at < len(precision), np.append(precision, 0)[np.minimum(at, len(precision))], 0).mean()


def main():
    with open(sys.argv[1]) as file:
        pictures = json.load(file)
    labels = sorted({t[0] for p in pictures for t in p["truth"]})
    table = [[average_precision(pictures, label, t) for t in np.arange(0.5, 0.96, 0.05)] for label in labels]
    table = np.array([row for row in table if row[0] is not None], float)
    print(f"{table[:, 0].mean():.6f} {table.mean():.6f}" if len(table) else "0 0")


if __name__ == "__main__":
    main()
