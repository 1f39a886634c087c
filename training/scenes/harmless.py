"""Designs of things that belong outdoors and look a little like litter."""

import numpy as np

from .paint import layered, plain
from .shapes import box, capsule, ellipsoid, lathe, lumpy, moved, sheet, union
from .thing import Thing

_AUTUMN = ((0.42, 0.22, 0.04), (0.30, 0.12, 0.03), (0.50, 0.36, 0.06), (0.16, 0.22, 0.04),
           (0.36, 0.05, 0.03))


def stone(rng):
    r = rng.uniform(0.02, 0.13)
    part = ellipsoid(r, r * rng.uniform(0.6, 1), r * rng.uniform(0.4, 0.8))
    tone = rng.uniform(0.06, 0.34) * np.array((1, rng.uniform(0.88, 1), rng.uniform(0.75, 1.02)))
    shape = lumpy(part, rng, r * 1.2, r * 0.09, rng.random() < 0.3)
    return Thing("stone", shape, plain(tone, rng, 0.16, r * 0.8), r * 1.3, 0.03,
                 sink=r * 0.1).posed(rng)


def kerb_block(rng):
    """A loose sett, brick or piece of concrete."""
    a, b, c = rng.uniform(0.04, 0.11), rng.uniform(0.04, 0.07), rng.uniform(0.025, 0.05)
    tone = [(0.2, 0.19, 0.18), (0.30, 0.29, 0.27), (0.28, 0.10, 0.06)][rng.integers(3)]
    shape = lumpy(box(a, b, c, 0.006), rng, 0.05, 0.004, True)
    return Thing("block", shape, plain(tone, rng, 0.15, 0.03), np.hypot(a, b) * 1.25, 0.02).posed(
        rng, False, 0.12)


def branch(rng):
    n, r = rng.uniform(0.15, 0.7), rng.uniform(0.006, 0.02)
    shape = capsule(n, r, rng.normal(0, 0.06))
    if rng.random() < 0.6:
        twig = capsule(n * 0.4, r * 0.6)
        c, s = np.cos(0.7), np.sin(0.7)
        shape = union(shape, lambda x, y, z: twig(x * c + y * s - n * 0.15, y * c - x * s, z))
    shape = lumpy(shape, rng, 0.06, r * 0.12)
    bark = np.array((0.16, 0.11, 0.07)) * rng.uniform(0.5, 1.8)
    return Thing("branch", shape, plain(bark, rng, 0.3, 0.04), n * 0.62, 0.02).posed(rng)


def big_leaf(rng):
    """A single curled leaf of plane, maple or chestnut."""
    a = rng.uniform(0.04, 0.11)
    b = a * rng.uniform(0.5, 0.9)
    flat = sheet(a, b, 0.0025, rng.normal(0.1, 0.25), rng.normal(0.1, 0.3), rng.uniform(0, 0.01))
    lobes, depth = int(rng.integers(2, 5)), rng.uniform(0.05, 0.35)

    def shape(x, y, z):
        turn = np.arctan2(y / b, x / a)
        rim = np.hypot(x / a, y / b) - (0.85 - depth * (0.5 - 0.5 * np.cos(lobes * 2 * turn)))
        return np.maximum(flat(x, y, z), rim * b * 0.5)

    tone = np.array(_AUTUMN[rng.integers(len(_AUTUMN))]) * rng.uniform(0.5, 1.2)
    vein = lambda x, y, z: np.abs(y) < 0.003
    paint = layered((vein, plain(tone * 0.6)), (None, plain(tone, rng, 0.25, 0.05)))
    return Thing("leaf", shape, paint, a * 1.3, 0.06).posed(rng)


def fruit(rng):
    """Fallen apples and chestnuts."""
    r = rng.uniform(0.015, 0.042)
    tone = [(0.45, 0.05, 0.03), (0.4, 0.42, 0.06), (0.14, 0.05, 0.02), (0.5, 0.35, 0.05)][
        rng.integers(4)]
    shape = ellipsoid(r, r * 0.97, r * 0.88)
    return Thing("fruit", shape, plain(tone, rng, 0.3, r), r * 1.1, 0.3).posed(rng)


def cone(rng):
    h, r = rng.uniform(0.03, 0.06), rng.uniform(0.015, 0.028)
    shape = lumpy(lathe([-h, -h * 0.4, h], [r * 0.7, r, r * 0.2]), rng, 0.012, 0.002, True)
    tone = np.array((0.18, 0.11, 0.06)) * rng.uniform(0.6, 1.4)
    return Thing("cone", shape, plain(tone, rng, 0.5, 0.008), h * 1.2, 0.02).posed(rng, True)


def tuft(rng):
    """Weeds: a clump of blades, some in flower."""
    count = int(rng.integers(6, 13))
    root = rng.normal(0, 0.02, (count, 2))
    lean = rng.normal(0, 0.5, (count, 2))
    h = rng.uniform(0.06, 0.2)
    wide = rng.uniform(0.003, 0.007)

    def shape(x, y, z):
        up = np.clip(z / h, 0, 1)
        d = np.full(len(x), 9.0, np.float32)
        for (rx, ry), (lx, ly) in zip(root, lean):
            bow = up * up * h * 0.9
            side = np.hypot(x - rx - lx * bow, y - ry - ly * bow) - wide * (1.1 - up)
            d = np.minimum(d, side)
        return np.maximum(d, np.abs(z - h / 2) - h / 2) * 0.6

    green = np.array((0.10, 0.20, 0.04)) * rng.uniform(0.6, 1.5)
    bloom = [(0.75, 0.6, 0.05), (0.8, 0.8, 0.78), (0.35, 0.18, 0.5)][rng.integers(3)]
    top = h * (0.88 if rng.random() < 0.5 else 2)
    paint = layered((lambda x, y, z: z > top, plain(bloom)), (None, plain(green, rng, 0.3, 0.05)))
    return Thing("tuft", shape, paint, h * 1.35, 0.03, sink=0.004).posed(rng, False, 0.0)


def molehill(rng):
    r = rng.uniform(0.08, 0.2)
    shape = lumpy(ellipsoid(r, r * rng.uniform(0.7, 1), r * 0.4), rng, r * 0.3, r * 0.05)
    tone = np.array((0.09, 0.065, 0.045)) * rng.uniform(0.6, 1.8)
    return Thing("molehill", shape, plain(tone, rng, 0.25, 0.03), r * 1.2, 0.0, sink=r * 0.3).posed(
        rng)


def marker(rng):
    """Street furniture at ground level: a water-valve cover, a hydrant cap, a stud."""
    r, h = rng.uniform(0.04, 0.1), rng.uniform(0.008, 0.05)
    tone = [(0.06,) * 3, (0.05, 0.12, 0.3), (0.4, 0.04, 0.03), (0.5, 0.45, 0.1), (0.4,) * 3][
        rng.integers(5)]
    ring = lambda x, y, z: (np.hypot(x, y) > r * 0.7) & (np.hypot(x, y) < r * 0.8)
    paint = layered((ring, plain(np.array(tone) * 0.4)), (None, plain(tone)))
    return Thing("marker", lathe([-h, h * 0.7, h], [r, r, r * 0.95]), paint, np.hypot(r, h) * 1.1,
                 0.15, sink=h * 1.6).posed(rng, False, 0.0)


def mushroom(rng):
    """Held back from training."""
    r = rng.uniform(0.02, 0.06)
    shape = union(lathe([-r, r * 0.2], [r * 0.3, r * 0.25]),
                  moved(ellipsoid(r, r, r * 0.5), 0, 0, r * 0.2))
    tone = [(0.7, 0.62, 0.5), (0.35, 0.2, 0.1), (0.8, 0.78, 0.72)][rng.integers(3)]
    return Thing("mushroom", shape, plain(tone, rng, 0.12, r), r * 1.35, 0.08).posed(rng)


def root(rng):
    """Held back from training: a root or a hose-like piece of ivy that breaks the surface."""
    n, r = rng.uniform(0.3, 0.9), rng.uniform(0.015, 0.04)
    shape = lumpy(capsule(n, r, rng.normal(0, 0.1)), rng, 0.1, r * 0.2)
    return Thing("root", shape, plain((0.14, 0.10, 0.07), rng, 0.3, 0.06), n * 0.62, 0.02,
                 sink=r * 0.7).posed(rng)


def oddment(rng):
    """A natural thing of no particular kind: one or two solids in the colours of outdoors."""
    r = np.exp(rng.uniform(np.log(0.018), np.log(0.11)))

    def solid(scale):
        a, b, c = scale * rng.uniform(0.35, 1.0, 3)
        kind = rng.integers(5)
        if kind == 0:
            return capsule(2 * a, min(b, c) * 0.5, rng.normal(0, 0.3) * a)
        if kind == 1:
            z = np.sort(rng.uniform(-1, 1, 3)) * a + np.array([-0.02, 0, 0.02]) * a
            return lathe(z, scale * rng.uniform(0.1, 0.8, 3))
        if kind == 2:
            return box(a, b, c * 0.7, min(a, b, c) * 0.3)
        return ellipsoid(a, b, c)

    shape = solid(r)
    if rng.random() < 0.45:
        dx, dy, dz = rng.normal(0, 0.35, 3) * r
        shape = union(shape, moved(solid(r * rng.uniform(0.3, 0.9)), dx, dy, dz))
    if rng.random() < 0.7:
        shape = lumpy(shape, rng, r * rng.uniform(0.2, 1.2), r * rng.uniform(0.01, 0.06),
                      rng.random() < 0.3)
    pale = rng.random() < 0.3
    value = rng.uniform(0.3, 0.75) if pale else np.exp(rng.uniform(np.log(0.02), np.log(0.35)))
    warm = rng.uniform(0.0, 0.35 if pale else 0.8)
    tone = value * np.array((1.0, 1 - 0.5 * warm, 1 - warm))
    if not pale and rng.random() < 0.2:
        tone = tone[[1, 0, 2]]
    paint = plain(tone, rng, rng.uniform(0.08, 0.35), r * rng.uniform(0.2, 1.0))
    return Thing("oddment", shape, paint, r * 1.75, rng.choice([0.02, 0.05, 0.2]),
                 sink=r * rng.uniform(0, 0.3)).posed(rng, rng.random() < 0.4, 0.3)


ANYWHERE = (stone, stone, kerb_block, branch, big_leaf, big_leaf, fruit, cone, tuft, marker)
ON_SOIL = (stone, branch, big_leaf, fruit, cone, tuft, tuft, molehill)
HELD_BACK = (mushroom, root)
ODDMENTS = (oddment,) * 5
