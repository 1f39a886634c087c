"""Renders the demo's pictures: forty held-out scenes along a walk, with their truth beside them.

    python3 demo_pictures.py ../models/demo
"""

import argparse
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from PIL import Image

from scenes.scene import render
from street_walk import exif, walk

SEED = 20_000_000  # far from the seeds that trained, tuned or tested the model
SIZE = (640, 480)
QUALITY = 80


def plan(count):
    """(file name, label, seed) of each picture: half of them litter, in random order."""
    labels = np.repeat([0, 1], [count - count // 2, count // 2])
    np.random.default_rng(SEED).shuffle(labels)
    return [(f"walk_{i + 1:02d}.jpg", int(k), SEED + i) for i, k in enumerate(labels)]


def _write(job):
    folder, name, label, seed, stop = job
    scene = render(seed, bool(label), "heldout", SIZE)
    Image.fromarray(scene.pixels).save(folder / name, "JPEG", quality=QUALITY, optimize=True,
                                       exif=exif(stop))


def make(folder, count=40, workers=None):
    """Writes the pictures and labels.tsv."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rows = plan(count)
    jobs = [(folder, *row, stop) for row, stop in zip(rows, walk(count, SEED))]
    if workers == 1:
        list(map(_write, jobs))
    else:
        with Pool(workers) as pool:
            pool.map(_write, jobs, 1)
    lines = [f"{name}\t{('clean', 'litter')[label]}\n" for name, label, _ in rows]
    (folder / "labels.tsv").write_text("file\tlabel\n" + "".join(lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--workers", type=int, help="processes; default one a core")
    args = parser.parse_args()
    make(args.folder, args.count, args.workers)


if __name__ == "__main__":
    main()
