"""Renders what cameras see that stand still: a folder a camera, in it a sub-folder for each set of
things that lie there, and pictures named by when they were taken.

    python3 still_set.py OUT --cameras 20 --count 120

`fogline changes OUT/*` measures on them which changes a threshold misses.
"""

import argparse
import os
from multiprocessing import Pool
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from PIL import Image

from scenes.still import sequence


def _one(job):
    folder, seed, count, family = job
    for moment, (pixels, state, litter) in enumerate(sequence(seed, count, family)):
        where = folder / f"{'litter' if litter else 'clean'}-{state:02d}"
        where.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(where / f"{moment:05d}.jpg", quality=92)
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--cameras", type=int, default=20)
    parser.add_argument("--count", type=int, default=120, help="pictures a camera")
    parser.add_argument("--first", type=int, default=8_000_000, help="seed of the first")
    parser.add_argument("--family", default="heldout")
    args = parser.parse_args()
    jobs = [(args.out / f"camera-{i:03d}", args.first + i, args.count, args.family)
            for i in range(args.cameras)]
    with Pool() as pool:
        for folder in pool.imap(_one, jobs):
            print(folder, flush=True)


if __name__ == "__main__":
    main()
