"""Renders a set of scenes to disk: pictures.npy, masks.npy and truth.tsv in one folder, or with
--photographs as JPEGs in clean/ and litter/, as `fogline train`, `eval` and `cascade` read them.

    python3 render_set.py OUT --first 0 --count 5000 --twins            (training)
    python3 render_set.py OUT --first 9000000 --count 1000 --family heldout   (test)
"""

import argparse
import os
import time
from multiprocessing import Pool
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from PIL import Image

from scenes.scene import MIN_SIDE, render

SIZE = (288, 216)
MASK = (72, 54)
CLASSES = ("clean", "litter")


def class_of(seed):
    """The class of a scene rendered once: a fair coin that only the seed decides."""
    return int(np.random.default_rng([seed, 77]).random() < 0.5)


def _one(job):
    seed, label, family, smallest = job
    scene = render(seed, bool(label), family, SIZE, smallest)
    mask = np.asarray(Image.fromarray(scene.mask).resize(MASK, Image.BOX))
    return scene.pixels, mask, f"{seed}\t{label}\t{scene.side:.1f}\t{','.join(scene.names)}\n"


def _write_photographs(out, jobs, workers):
    for name in CLASSES:
        (out / name).mkdir(exist_ok=True)
    with Pool(workers) as pool:
        for job, (pixels, _, _) in zip(jobs, pool.imap(_one, jobs, chunksize=4)):
            seed, label = job[:2]
            Image.fromarray(pixels).save(out / CLASSES[label] / f"{seed}.jpg", quality=92)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--family", default="train")
    parser.add_argument("--twins", action="store_true", help="each seed once per class")
    parser.add_argument("--smallest", type=float, default=MIN_SIDE,
                        help="side of the main thing, px at 160")
    parser.add_argument("--photographs", action="store_true", help="JPEGs in a folder a class")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    seeds = range(args.first, args.first + args.count)
    if args.twins:
        jobs = [(s, k) for s in seeds for k in (0, 1)]
    else:
        jobs = [(s, class_of(s)) for s in seeds]
    jobs = [(*job, args.family, args.smallest) for job in jobs]
    if args.photographs:
        return _write_photographs(args.out, jobs, args.workers)
    open_npy = np.lib.format.open_memmap
    pictures = open_npy(args.out / "pictures.npy", "w+", np.uint8, (len(jobs), *SIZE[::-1], 3))
    masks = open_npy(args.out / "masks.npy", "w+", np.uint8, (len(jobs), *MASK[::-1]))
    start = time.time()
    with Pool(args.workers) as pool, open(args.out / "truth.tsv", "w") as truth:
        truth.write("seed\tlabel\tside\tnames\n")
        for i, (pixels, mask, line) in enumerate(pool.imap(_one, jobs, chunksize=8)):
            pictures[i], masks[i] = pixels, mask
            truth.write(line)
            if (i + 1) % 500 == 0:
                print(f"{i + 1} scenes, {(i + 1) / (time.time() - start):.1f} a second", flush=True)


if __name__ == "__main__":
    main()
