"""Periodic noise: the raw material of every texture here.

Everything repeats after one tile, so a tile can be laid over the ground without seams.
"""

import numpy as np


def spectral(rng, n, slope, low=1.0, stretch=1.0):
    """n x n noise whose amplitude falls as frequency**-slope; mean 0, standard deviation 1.

    `low` cuts frequencies below that many cycles a tile, `stretch` > 1 draws it out along y.
    """
    fy = np.fft.fftfreq(n)[:, None] * n * stretch
    fx = np.fft.rfftfreq(n)[None, :] * n
    f = np.sqrt(fx * fx + fy * fy)
    gain = np.where(f < low, 0.0, np.maximum(f, 1e-6) ** -slope)
    gain[0, 0] = 0.0
    field = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((n, n))) * gain, s=(n, n))
    return ((field - field.mean()) / (field.std() + 1e-9)).astype(np.float32)


def cells(rng, n, nx, ny, jitter, stagger=0.0):
    """Periodic Voronoi cells on a jittered nx x ny grid.

    Returns (edge, near, ident): distance to the nearest cell border and to the cell's centre, both
    in units of a cell, and the number of the cell.
    """
    cx = 0.5 + jitter * (rng.random((ny, nx)) - 0.5)
    cy = 0.5 + jitter * (rng.random((ny, nx)) - 0.5)
    yy, xx = np.mgrid[0:n, 0:n].astype(np.float32)
    gy = yy * ny / n
    row = np.floor(gy).astype(int)
    gx = xx * nx / n
    first = np.full((n, n), 9.0, np.float32)
    second = first.copy()
    ident = np.zeros((n, n), np.int32)
    for dy in (-1, 0, 1):
        r = row + dy
        shift = stagger * (r % 2)
        col0 = np.floor(gx - shift).astype(int)
        for dx in (-1, 0, 1):
            c = col0 + dx
            rm, cm = r % ny, c % nx
            d = np.hypot(c + shift + cx[rm, cm] - gx, r + cy[rm, cm] - gy)
            closer = d < first
            second = np.where(closer, first, np.minimum(second, d))
            ident = np.where(closer, rm * nx + cm, ident)
            first = np.where(closer, d, first)
    return (second - first).astype(np.float32), first, ident


def bricks(rng, n, nx, ny, bond=0.5):
    """A periodic brick grid; returns (edge distance in brick heights, brick number)."""
    yy, xx = np.mgrid[0:n, 0:n].astype(np.float32)
    gy = yy * ny / n
    row = np.floor(gy)
    gx = xx * nx / n + bond * (row % 2)
    col = np.floor(gx)
    fx, fy = gx - col, gy - row
    aspect = ny / nx
    edge = np.minimum(np.minimum(fx, 1 - fx) * aspect, np.minimum(fy, 1 - fy))
    return edge, ((row % ny) * nx + col % nx).astype(np.int32)


def basket(n, cells_a_side):
    """Basket weave: squares of two bricks that lie crosswise in turn; as `bricks`."""
    yy, xx = np.mgrid[0:n, 0:n].astype(np.float32) * (cells_a_side / n)
    cy, cx = np.floor(yy), np.floor(xx)
    fy, fx = yy - cy, xx - cx
    cross = (cy + cx) % 2 == 1
    a, b = np.where(cross, fy, fx), np.where(cross, fx, fy)
    half = np.floor(b * 2)
    b2 = b * 2 - half
    edge = np.minimum(np.minimum(a, 1 - a) * 2, np.minimum(b2, 1 - b2))
    ident = (cy % cells_a_side) * cells_a_side * 2 + (cx % cells_a_side) * 2 + half
    return edge, ident.astype(np.int32)


def smoothstep(lo, hi, x):
    """0 below lo, 1 above hi, an S between."""
    t = np.clip((x - lo) / (hi - lo), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)
