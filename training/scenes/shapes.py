"""Signed distances, in metres, of the solids that litter and harmless things are made of.

All take coordinate arrays in the thing's own frame. Some are only lower bounds near the surface;
the marcher's step factor allows for that.
"""

import numpy as np


def lathe(profile_z, profile_r):
    """A solid of revolution about z, its radius linear between (z, r) points."""
    zs, rs = np.asarray(profile_z, np.float32), np.asarray(profile_r, np.float32)
    mid, half = (zs[0] + zs[-1]) / 2, (zs[-1] - zs[0]) / 2

    def distance(x, y, z):
        side = np.hypot(x, y) - np.interp(z, zs, rs).astype(np.float32)
        return np.maximum(side * 0.85, np.abs(z - mid) - half)

    return distance


def box(a, b, c, rounding=0.0):
    """A box of half sizes a, b, c."""

    def distance(x, y, z):
        qx, qy, qz = np.abs(x) - a + rounding, np.abs(y) - b + rounding, np.abs(z) - c + rounding
        out = np.sqrt(np.maximum(qx, 0) ** 2 + np.maximum(qy, 0) ** 2 + np.maximum(qz, 0) ** 2)
        return out + np.minimum(np.maximum(np.maximum(qx, qy), qz), 0) - rounding

    return distance


def ellipsoid(a, b, c):
    small = min(a, b, c)

    def distance(x, y, z):
        k = np.sqrt((x / a) ** 2 + (y / b) ** 2 + (z / c) ** 2)
        return (k - 1) * small

    return distance


def capsule(length, radius, bow=0.0):
    """A rod along x, bent by `bow` metres in the middle."""

    def distance(x, y, z):
        w = x / length
        yy = y - bow * (1 - 4 * w * w)
        ends = np.maximum(np.abs(x) - length / 2, 0)
        return (np.sqrt(ends**2 + yy**2 + z**2) - radius) * 0.9

    return distance


def sheet(a, b, thick, curl_x, curl_y, wave):
    """A thin sheet of half sizes a, b that curls up and waves."""

    def distance(x, y, z):
        lift = curl_x * x * x / a + curl_y * y * y / b + wave * np.sin(x * 2.2 / a + y * 3.1 / b)
        d = np.maximum(np.abs(x) - a, np.abs(y) - b)
        return np.maximum(d, np.abs(z - lift) - thick) * 0.7

    return distance


def union(*parts):
    def distance(x, y, z):
        d = parts[0](x, y, z)
        for part in parts[1:]:
            d = np.minimum(d, part(x, y, z))
        return d

    return distance


def moved(part, dx=0.0, dy=0.0, dz=0.0):
    return lambda x, y, z: part(x - dx, y - dy, z - dz)


def lumpy(part, rng, size, amount, folds=False):
    """Adds bumps (or sharp folds) of about `size` metres and `amount` metres depth."""
    k = (rng.standard_normal((4, 3)) * 2.2 / size).astype(np.float32)
    phase = rng.uniform(0, 6.28, 4).astype(np.float32)
    weight = (amount * rng.uniform(0.5, 1.0, 4)).astype(np.float32)

    def distance(x, y, z):
        d = part(x, y, z)
        for i in range(4):
            s = k[i, 0] * x + k[i, 1] * y + k[i, 2] * z + phase[i]
            wave = np.abs((s / np.pi) % 2 - 1) * 2 - 1 if folds else np.sin(s)
            d = d + weight[i] * wave
        return d * (0.55 if folds else 0.7)

    return distance


def squashed(part, axis_gain, pinch):
    """A can or bottle stepped on: flattened along y by a factor, most at the middle (z = 0)."""

    def distance(x, y, z):
        k = 1 / (axis_gain + (1 - axis_gain) * np.minimum(np.abs(z) / pinch, 1) ** 2)
        return part(x, y * k, z) * axis_gain

    return distance
