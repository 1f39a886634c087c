"""Colours of things: plain, printed and natural surfaces in linear light."""

import colorsys

import numpy as np


def hue(rng, saturation=(0.5, 1.0), value=(0.25, 0.9)):
    """A random printed colour."""
    rgb = colorsys.hsv_to_rgb(rng.random(), rng.uniform(*saturation), rng.uniform(*value))
    return np.array(rgb, np.float32) ** 2


def ink(rng):
    """What packaging is printed in: colours, white, black, silver."""
    kind = rng.random()
    if kind < 0.55:
        return hue(rng)
    if kind < 0.8:
        return np.full(3, rng.uniform(0.6, 0.9), np.float32)
    return np.full(3, rng.uniform(0.01, 0.3), np.float32)


def plain(colour, rng=None, mottle=0.0, size=0.03):
    """One colour, optionally with blotches of about `size` metres."""
    colour = np.asarray(colour, np.float32)
    if not mottle:
        return lambda x, y, z: np.broadcast_to(colour, (len(x), 3))
    k = (rng.standard_normal((6, 3)) * 2 / size).astype(np.float32)

    def paint(x, y, z):
        s = [np.sin(k[i, 0] * x + k[i, 1] * y + k[i, 2] * z + i) for i in range(6)]
        n = s[0] * s[1] + s[2] * s[3] + s[4] * s[5]
        return colour * np.clip(1 + mottle * n, 0.2, 2)[:, None]

    return paint


def printed(rng, across, along, scale_a, scale_b):
    """Packaging print on a surface with coordinates across(x,y,z), along(x,y,z) in metres.

    Bands, a disc and rows of broken dashes that read as lettering from afar.
    """
    base, band, mark = ink(rng), ink(rng), ink(rng)
    lo, hi = np.sort(rng.uniform(-1, 1, 2))
    disc = rng.uniform(0.2, 0.7) if rng.random() < 0.6 else 0.0
    rows = rng.integers(5, 14)
    text_lo = rng.uniform(-1, 0.4)
    slant = rng.normal(0, 0.5)

    def paint(x, y, z):
        a, b = across(x, y, z) / scale_a, along(x, y, z) / scale_b
        colour = np.broadcast_to(base, (len(x), 3)).copy()
        colour[(b + slant * a > lo) & (b + slant * a < hi)] = band
        if disc:
            colour[a * a + (b - (lo + hi) / 2) ** 2 < disc * disc] = mark
        row = np.floor(b * rows)
        dash = np.sin(a * 37 + row * 11.3) + np.sin(a * 23 + row * 5.1) > 0.2
        text = dash & (b * rows - row < 0.5) & (b > text_lo) & (b < text_lo + 0.5)
        colour[text & (np.abs(a) < 0.8)] = mark
        return colour

    return paint


def wrapped(rng, radius, half):
    """`printed` around an upright cylinder."""
    turn = rng.uniform(0, 6.28)

    def across(x, y, z):
        return ((np.arctan2(y, x) + turn) % 6.2832 - 3.1416) * radius

    return printed(rng, across, lambda x, y, z: z, radius * 2.2, half)


def layered(*stages):
    """(test, paint) pairs; the first test that holds wins, the last has no test."""

    def paint(x, y, z):
        colour = stages[-1][1](x, y, z).copy()
        for test, part in reversed(stages[:-1]):
            k = np.flatnonzero(test(x, y, z))
            if len(k):
                colour[k] = part(x[k], y[k], z[k])
        return colour

    return paint
