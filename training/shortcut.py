"""Can the classes be told apart without seeing what lies there? From a picture's statistics alone.

    python3 shortcut.py DATA/train

Fits a quadratic discriminant by least squares to seven tenths of the scenes and tests it on the
rest; twins stay on one side. One half is chance.
"""

import argparse

import numpy as np

from street_data import RenderedSet

TONE = 8  # the first columns of `statistics` leave colour saturation out


def statistics(pixels):
    """Means, deviations and gradients, then saturation and extremes."""
    a = pixels.astype(np.float32)
    grey, vivid = a.mean(2), a.max(2) - a.min(2)
    steps = [np.abs(np.diff(grey, axis=k)).mean() for k in (0, 1)]
    return [*a.mean((0, 1)), *a.std((0, 1)), *steps, vivid.mean(), vivid.std(),
            np.percentile(vivid, 99), np.percentile(grey, 1), np.percentile(grey, 99)]


def accuracy(columns, labels, learn):
    x = (columns - columns[learn].mean(0)) / columns[learn].std(0)
    x = np.hstack([x, x**2, np.ones((len(x), 1))])
    a, b = x[learn], labels[learn] * 2.0 - 1.0
    weight = np.linalg.solve(a.T @ a + np.eye(a.shape[1]), a.T @ b)
    return float(((x[~learn] @ weight > 0) == (labels[~learn] == 1)).mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    args = parser.parse_args()
    source = RenderedSet(args.folder)
    columns = np.array([statistics(p) for p in source.pictures])
    learn = np.arange(len(source)) < len(source) * 7 // 10 // 2 * 2
    print(f"tone and gradients: {accuracy(columns[:, :TONE], source.labels, learn):.3f}, "
          f"all: {accuracy(columns, source.labels, learn):.3f} of {(~learn).sum()} scenes right")


if __name__ == "__main__":
    main()
