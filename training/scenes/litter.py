"""Designs of litter. Each maker takes a random generator and returns a posed Thing."""

import numpy as np

from .paint import hue, ink, layered, plain, printed, wrapped
from .shapes import box, ellipsoid, lathe, lumpy, moved, sheet, squashed, union
from .thing import Thing

_X, _Y, _Z = (lambda x, y, z: x), (lambda x, y, z: y), (lambda x, y, z: z)


def can(rng):
    h, r = rng.choice([(0.06, 0.033), (0.078, 0.033), (0.075, 0.028)])
    shape = lathe([-h, -h + 0.008, h - 0.014, h], [r * 0.78, r, r, r * 0.8])
    if rng.random() < 0.4:
        shape = squashed(lumpy(shape, rng, 0.05, 0.003, True), rng.uniform(0.35, 0.7), h)
    metal = plain((0.5, 0.5, 0.52))
    paint = layered((lambda x, y, z: np.abs(z) > h - 0.012, metal), (None, wrapped(rng, r, h)))
    return Thing("can", shape, paint, h * 1.25, 0.5).posed(rng, rng.random() < 0.75)


def bottle(rng):
    """PET with a label and a cap; clear, blue or green."""
    h, r = rng.uniform(0.09, 0.15), rng.uniform(0.031, 0.045)
    shape = lathe([-h, -h + 0.01, h * 0.25, h * 0.7, h * 0.78, h],
                  [r * 0.8, r, r, 0.016, 0.013, 0.014])
    if rng.random() < 0.5:
        shape = squashed(lumpy(shape, rng, 0.06, 0.003, True), rng.uniform(0.4, 0.8), h)
    tint = [(0.62, 0.68, 0.7), (0.25, 0.45, 0.65), (0.2, 0.5, 0.25)][rng.integers(3)]
    paint = layered((lambda x, y, z: z > h * 0.84, plain(ink(rng))),
                    (lambda x, y, z: (z > -h * 0.4) & (z < h * 0.15), wrapped(rng, r, h * 0.5)),
                    (None, plain(tint)))
    return Thing("bottle", shape, paint, h * 1.1, 0.7, rng.uniform(0.55, 0.85)).posed(
        rng, rng.random() < 0.85)


def glass(rng):
    h, r = rng.uniform(0.10, 0.15), rng.uniform(0.029, 0.038)
    shape = lathe([-h, -h + 0.006, h * 0.1, h * 0.45, h], [r * 0.9, r, r, 0.014, 0.013])
    tint = [(0.02, 0.09, 0.03), (0.10, 0.04, 0.01), (0.35, 0.42, 0.4)][rng.integers(3)]
    paint = layered((lambda x, y, z: (z > -h * 0.6) & (z < 0), wrapped(rng, r, h * 0.4)),
                    (None, plain(tint)))
    return Thing("glass", shape, paint, h * 1.1, 0.9, 0.85).posed(rng, rng.random() < 0.8)


def cup(rng):
    h, r = rng.uniform(0.045, 0.075), rng.uniform(0.036, 0.046)
    lid = rng.random() < 0.4
    shape = lathe([-h, h * 0.92, h * 0.93, h], [r * 0.72, r, r * 1.08, r * 1.05])
    if rng.random() < 0.3:
        shape = squashed(lumpy(shape, rng, 0.06, 0.003, True), rng.uniform(0.4, 0.7), h)
    body = wrapped(rng, r, h) if rng.random() < 0.7 else plain(ink(rng))
    mouth = plain(ink(rng)) if lid else plain((0.12, 0.10, 0.08))
    rim = plain((0.75, 0.74, 0.7))
    paint = layered((lambda x, y, z: (z > h * 0.97) & (np.hypot(x, y) < r * 0.92), mouth),
                    (lambda x, y, z: z > h * 0.9, rim), (None, body))
    return Thing("cup", shape, paint, h * 1.35, 0.12).posed(rng, rng.random() < 0.7)


def paper_ball(rng):
    r = rng.uniform(0.03, 0.075)
    part = ellipsoid(r, r * rng.uniform(0.7, 1), r * rng.uniform(0.5, 0.8))
    shape = lumpy(part, rng, r * 0.55, r * 0.10, True)
    colour = plain((rng.uniform(0.6, 0.9),) * 3) if rng.random() < 0.6 else printed(
        rng, _X, _Y, r, r)
    return Thing("paper ball", shape, colour, r * 1.35, 0.02).posed(rng)


def flyer(rng):
    """A printed or blank sheet, a newspaper page, a receipt."""
    a, b = rng.choice([(0.105, 0.148), (0.074, 0.105), (0.04, 0.09), (0.15, 0.2)])
    shape = sheet(a, b, 0.002, rng.normal(0, 0.15), rng.normal(0, 0.15), rng.uniform(0, 0.012))
    white = plain((rng.uniform(0.65, 0.9),) * 3)
    colour = white if rng.random() < 0.3 else printed(rng, _X, _Y, a, b)
    return Thing("flyer", shape, colour, np.hypot(a, b) * 1.1, 0.04).posed(rng)


def wrapper(rng):
    """Crisps, sweets: foil in loud colours."""
    a, b = rng.uniform(0.03, 0.09), rng.uniform(0.05, 0.12)
    shape = lumpy(sheet(a, b, 0.006, rng.normal(0, 0.2), rng.normal(0, 0.2), 0.012), rng, 0.05,
                  0.002, True)
    return Thing("wrapper", shape, printed(rng, _X, _Y, a, b), np.hypot(a, b) * 1.15, 0.5).posed(
        rng)


def carrier_bag(rng):
    r = rng.uniform(0.09, 0.18)
    part = union(ellipsoid(r, r * 0.75, r * rng.uniform(0.3, 0.55)),
                 moved(ellipsoid(r * 0.3, r * 0.22, r * 0.4), r * 0.5, 0, r * 0.3))
    shape = lumpy(part, rng, r * 0.5, r * 0.06, True)
    tone = [(0.8,) * 3, (0.78, 0.8, 0.82), (0.02,) * 3, hue(rng)][rng.integers(4)]
    colour = plain(tone) if rng.random() < 0.6 else printed(rng, _X, _Y, r, r)
    return Thing("carrier bag", shape, colour, r * 1.3, 0.25, rng.uniform(0.8, 1)).posed(rng)


def rubbish_bag(rng):
    r = rng.uniform(0.2, 0.32)
    part = union(ellipsoid(r, r * 0.9, r * 0.7), moved(ellipsoid(0.05, 0.05, 0.1), 0, 0, r * 0.72))
    shape = lumpy(part, rng, r * 0.4, r * 0.04, True)
    tone = [(0.012,) * 3, (0.03, 0.10, 0.35), (0.35,) * 3, (0.7, 0.66, 0.5)][rng.integers(4)]
    return Thing("rubbish bag", shape, plain(tone), r * 1.25, 0.55).posed(rng)


def cigarette_pack(rng):
    shape = box(0.028, 0.011, 0.044, 0.001)
    if rng.random() < 0.4:
        shape = lumpy(shape, rng, 0.04, 0.003, True)
    return Thing("cigarette pack", shape, printed(rng, _X, _Z, 0.028, 0.044), 0.058, 0.2).posed(
        rng, rng.random() < 0.9)


def carton(rng):
    """A cardboard box, often with print or tape."""
    a, b, c = rng.uniform(0.06, 0.2), rng.uniform(0.05, 0.16), rng.uniform(0.03, 0.12)
    shape = lumpy(box(a, b, c, 0.004), rng, 0.2, 0.004)
    brown = np.array((0.36, 0.23, 0.12)) * rng.uniform(0.7, 1.3)
    tape = lambda x, y, z: (np.abs(y) < b * 0.18) & (z > c * 0.9)
    paint = layered((tape, plain(brown * 1.4)), (None, plain(brown, rng, 0.1, 0.1)))
    if rng.random() < 0.4:
        paint = printed(rng, _X, _Y, a, b)
    return Thing("carton", shape, paint, float(np.sqrt(a * a + b * b + c * c)) * 1.1, 0.04).posed(
        rng, rng.random() < 0.2, 0.1)


def drink_carton(rng):
    """Held back from training: milk or juice, with a gable."""
    h, w = rng.uniform(0.06, 0.1), rng.uniform(0.03, 0.04)

    def shape(x, y, z):
        gable = np.clip(1 - np.maximum(z - h * 0.5, 0) / (h * 0.5) * 0.9, 0.05, 1)
        return np.maximum(np.maximum(np.abs(x), np.abs(y) / gable) - w, np.abs(z) - h) * 0.6

    return Thing("drink carton", shape, printed(rng, _X, _Z, w, h), h * 1.3, 0.2).posed(
        rng, rng.random() < 0.7)


def pizza_box(rng):
    """Held back from training: a flat box, its lid ajar."""
    a = rng.uniform(0.13, 0.2)
    c, s = np.cos(rng.uniform(0.1, 0.6)), np.sin(rng.uniform(0.1, 0.6))
    lid = box(a, a, 0.004)

    def lifted(x, y, z):
        yy, zz = y + a, z - 0.02
        return lid(x, yy * c + zz * s - a, zz * c - yy * s)

    shape = union(box(a, a, 0.02), lifted)
    paint = layered((lambda x, y, z: z > 0.024, printed(rng, _X, _Y, a, a)),
                    (None, plain((0.45, 0.34, 0.22))))
    return Thing("pizza box", shape, paint, a * 1.8, 0.04).posed(rng)


def tray(rng):
    """Held back from training: a foam food tray."""
    a, b = rng.uniform(0.06, 0.1), rng.uniform(0.05, 0.08)
    outer, inner = box(a, b, 0.022, 0.01), box(a * 0.86, b * 0.84, 0.02, 0.008)
    shape = lambda x, y, z: np.maximum(outer(x, y, z), -inner(x, y, z - 0.012))
    tone = [(0.85, 0.85, 0.82), (0.9, 0.82, 0.5), (0.03,) * 3][rng.integers(3)]
    return Thing("tray", shape, plain(tone), np.hypot(a, b) * 1.15, 0.08).posed(
        rng, False, rng.choice([0.1, 0.8]))


COMMON = (can, can, bottle, bottle, glass, cup, cup, paper_ball, flyer, wrapper, carrier_bag,
          rubbish_bag, cigarette_pack, carton)
HELD_BACK = (drink_carton, pizza_box, tray)
