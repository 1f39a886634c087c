"""Rendered sets as training samples: crops, varied resizing, labels and litter maps."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageFilter

# Runtimes shrink pictures with different filters; a network trained on one of them leans on it.
FILTERS = (Image.BOX, Image.BILINEAR, Image.BILINEAR, Image.HAMMING, Image.BICUBIC, Image.LANCZOS)
SEEN = 36.0  # px of litter in a crop from which it counts as litter
UNSEEN = 6.0  # up to which it does not; between the two the crop says nothing about its class
DIFFERENT = 28  # of 255, in a channel, from which twins differ by more than noise
NOWHERE = np.zeros((0, 0), bool)


class RenderedSet:
    """One folder written by render_set.py."""

    def __init__(self, folder):
        folder = Path(folder)
        self.pictures = np.load(folder / "pictures.npy", mmap_mode="r")
        self.masks = np.load(folder / "masks.npy", mmap_mode="r")
        rows = [r.split("\t") for r in (folder / "truth.tsv").read_text().splitlines()[1:]]
        self.seeds = np.array([int(r[0]) for r in rows])
        self.labels = np.array([int(r[1]) for r in rows])
        self.sides = np.array([float(r[2]) for r in rows])
        self.names = [r[3] for r in rows]

    def __len__(self):
        return len(self.labels)

    def batch(self, indices, side, filter_=Image.BILINEAR):
        return squashed(self.pictures, indices, side, filter_)


class Chain:
    """Several arrays as one, without copying them."""

    def __init__(self, arrays):
        self.arrays = arrays
        self.ends = np.cumsum([len(a) for a in arrays])

    def __getitem__(self, index):
        part = int(np.searchsorted(self.ends, index, "right"))
        return self.arrays[part][index - self.ends[part]]


class JoinedSets:
    """Several rendered sets as one to train on; a set named twice counts twice."""

    def __init__(self, folders):
        sets = {folder: RenderedSet(folder) for folder in folders}
        sets = [sets[folder] for folder in folders]
        self.pictures = Chain([s.pictures for s in sets])
        self.masks = Chain([s.masks for s in sets])
        self.seeds = np.concatenate([s.seeds for s in sets])
        self.labels = np.concatenate([s.labels for s in sets])
        self.sides = np.concatenate([s.sides for s in sets])
        self.names = [name for s in sets for name in s.names]

    def __len__(self):
        return len(self.labels)

    def batch(self, indices, side, filter_=Image.BILINEAR):
        return squashed(self.pictures, indices, side, filter_)


def things(source, index):
    """bool [h/4, w/4]: where anything lies, litter or not, in a picture or in its twin, for twins
    differ in nothing else. A picture without a twin shows none."""
    twin = index ^ 1
    if twin >= len(source) or source.seeds[twin] != source.seeds[index]:
        return NOWHERE
    ours, theirs = (source.pictures[k][2::4, 2::4].astype(np.int16) for k in (index, twin))
    return np.abs(ours - theirs).max(2) > DIFFERENT


def squashed(pictures, indices, side, filter_):
    """Whole pictures squashed to side x side, as the network takes them."""
    images = [Image.fromarray(pictures[i]).resize((side, side), filter_) for i in indices]
    return to_tensor(np.stack([np.asarray(im) for im in images]))


def to_tensor(pixels):
    """uint8 [n, h, w, 3] to float [n, 3, h, w] in -1..1, channels last in memory."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)


class Phase:
    """A number of batches of augmented samples; the same for the same seed.

    A batch has one of `sides` by turns. Process `rank` of a `team` gets every team-th sample.

    With `zoom` = (low, high) samples are windows of `side` px out of the picture squashed to a
    side between low and high; without, whole pictures with at most a tenth cut off.
    """

    def __init__(self, source, sides, batch, batches, seed, zoom=None, around=(0.6, 0.0), rank=0,
                 team=1):
        self.source, self.sides, self.seed, self.zoom = source, sides, seed, zoom
        self.around = around
        order = np.random.default_rng([seed, 11])
        repeats = -(-batch * batches // len(source))
        order = np.concatenate([order.permutation(len(source)) for _ in range(repeats)])
        self.order = order[:batch * batches].reshape(batches, batch)
        self.mine = range(rank, batch, team)

    def __len__(self):
        return len(self.order)

    def __getitem__(self, step):
        side = self.sides[step % len(self.sides)]
        samples = [self._sample(np.random.default_rng([self.seed, step, k]), self.order[step, k],
                                side) for k in self.mine]
        pixels, labels, weights, maps = (np.stack(a) for a in zip(*samples))
        return (to_tensor(pixels), torch.from_numpy(labels), torch.from_numpy(weights),
                torch.from_numpy(maps))

    def _sample(self, rng, index, side):
        image = Image.fromarray(self.source.pictures[index])
        mask = self.source.masks[index]
        label, weight = self.source.labels[index], 1.0
        w, h = image.size
        if self.zoom:
            box = self._window(rng, index, mask, side / rng.uniform(*self.zoom))
        else:
            box = self._trim(rng, mask)
        sx, sy = mask.shape[1] / w, mask.shape[0] / h
        cells = Image.fromarray(mask).resize(
            (side // 16,) * 2, Image.BOX,
            (box[0] * w * sx, box[1] * h * sy, box[2] * w * sx, box[3] * h * sy))
        cells = np.asarray(cells, np.float32) / 255
        if self.zoom:
            area = cells.sum() * 256
            label = int(area >= SEEN)
            weight = float(area >= SEEN or area <= UNSEEN)
        image = image.resize((side, side), FILTERS[rng.integers(len(FILTERS))],
                             (box[0] * w, box[1] * h, box[2] * w, box[3] * h))
        if rng.random() < 0.15:
            image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.9)))
        if rng.random() < 0.6:
            image = ImageEnhance.Brightness(image).enhance(rng.uniform(0.75, 1.3))
            image = ImageEnhance.Color(image).enhance(rng.uniform(0.6, 1.4))
            image = ImageEnhance.Contrast(image).enhance(rng.uniform(0.8, 1.25))
        pixels = np.asarray(image)
        if rng.random() < 0.5:
            pixels, cells = pixels[:, ::-1], cells[:, ::-1]
        return (np.ascontiguousarray(pixels), np.int64(label), np.float32(weight),
                np.ascontiguousarray(cells))

    def _window(self, rng, index, mask, share):
        """A window of `share` of the picture each way, in 0..1: around litter, else around anything
        that lies there, else anywhere, with the chances `around`."""
        share = min(share, 1.0)
        x, y = rng.random(2) * (1 - share)
        near = mask > 100
        if not near.any() or rng.random() >= self.around[0]:
            near = NOWHERE
            if self.around[1] and rng.random() < self.around[1]:
                near = things(self.source, index)
        spots = np.argwhere(near)
        if len(spots):
            cy, cx = (spots[rng.integers(len(spots))] + 0.5) / near.shape
            x = np.clip(cx - share * rng.uniform(0.1, 0.9), 0, 1 - share)
            y = np.clip(cy - share * rng.uniform(0.1, 0.9), 0, 1 - share)
        return x, y, x + share, y + share

    @staticmethod
    def _trim(rng, mask):
        """Cuts a little off each side unless that would cut litter."""
        x0, y0, x1, y1 = rng.random(4) * 0.1 * (rng.random() < 0.7)
        h, w = mask.shape
        inner = mask[int(y0 * h):int(np.ceil((1 - y1) * h)), int(x0 * w):int(np.ceil((1 - x1) * w))]
        if inner.sum(dtype=np.int64) < 0.98 * mask.sum(dtype=np.int64):
            return 0.0, 0.0, 1.0, 1.0
        return x0, y0, 1 - x1, 1 - y1
