#!/usr/bin/env python3
"""Mean average precision of a detector from its raw outputs and a folder of truth, by the other two references alone: boxes.py decodes and
suppresses, average_precision.py judges.

    coco_map.py CASES.json TRUTH NAMES      prints "map50 map50_95"

CASES is a list of {"picture": name, "case": a CASE of boxes.py whose files lie beside CASES}; TRUTH has a text for each picture, a line an
object: class, then centre x and y, width and height in parts of the picture; NAMES a class a line.
"""

import json
import sys
from pathlib import Path

import average_precision
import boxes
import numpy as np


def truth_of(path, names):
    rows = []
    for line in path.read_text().split("\n") if path.exists() else []:
        words = line.split()
        if words:
            x, y, w, h = map(float, words[1:5])
            rows.append([names[int(words[0])], x - w / 2, y - h / 2, w, h, 0])
    return rows


def main():
    cases = Path(sys.argv[1])
    names = Path(sys.argv[3]).read_text().split("\n")
    pictures = []
    for one in json.loads(cases.read_text()):
        found = boxes.found(one["case"], cases.parent)
        truth = truth_of(Path(sys.argv[2]) / (Path(one["picture"]).stem + ".txt"), names)
        pictures.append({"truth": truth, "found": [[names[int(f[0])], *f[1:]] for f in found]})
    labels = sorted({t[0] for p in pictures for t in p["truth"]})
    table = np.array(
        [[average_precision.average_precision(pictures, label, t) for t in np.arange(0.5, 0.96, 0.05)] for label in labels], float
    )
    print(f"{table[:, 0].mean():.6f} {table.mean():.6f}")


if __name__ == "__main__":
    main()
