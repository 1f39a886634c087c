"""Texture tiles: 512 x 512 pixels of linear RGB each, made of periodic noise.

Each maker takes (rng, palette) and returns (tile, metres a side). A palette shifts colours and
proportions, and is what tells the training family of streets from the held-out one.
"""

import numpy as np
from PIL import Image, ImageDraw

from .noise import basket, bricks, cells, smoothstep, spectral

N = 512


def _rgb(*levels):
    return np.array(levels, np.float32)


def _paint(field, *stops):
    """Maps a field through colour stops that lie at equal steps from 0 to 1."""
    stops = np.array(stops, np.float32)
    x = np.clip(field, 0, 1) * (len(stops) - 1)
    i = np.minimum(x.astype(int), len(stops) - 2)
    w = (x - i)[..., None]
    return stops[i] * (1 - w) + stops[i + 1] * w


def _relief(height, strength):
    """Shading by a light from the upper left, as a factor around 1."""
    gx = height - np.roll(height, 1, 1)
    gy = height - np.roll(height, 1, 0)
    return np.clip(1 + strength * (gx + gy), 0.35, 1.8)[..., None]


def stray(rng, pal, tile, metres):
    """The tile with a cast, a contrast and a size of its own, as far off as the palette says."""
    if not pal.stray:
        return tile, metres
    mean = tile.mean((0, 1))
    contrast = np.exp(rng.normal(0, 2 * pal.stray))
    tile = np.clip(mean + (tile - mean) * contrast, 0.002, 1)
    cast = np.exp(rng.normal(0, 0.7 * pal.stray, 3) + rng.normal(0, pal.stray))
    return tile * cast.astype(np.float32), metres * np.exp(rng.normal(0, 1.5 * pal.stray))


def asphalt(rng, pal):
    base = rng.uniform(*pal.asphalt)
    grain = spectral(rng, N, 0.25, 40)
    stones = smoothstep(1.0, 2.2, spectral(rng, N, 0.5, 60))
    blot = spectral(rng, N, 1.4)
    tint = _rgb(1.0, rng.uniform(0.96, 1.02), rng.uniform(0.9, 1.08))
    v = base * np.clip(1 + 0.22 * grain + 0.10 * blot + rng.uniform(0.3, 1.2) * stones, 0.25, 4)
    crack = smoothstep(0.03, 0.0, np.abs(spectral(rng, N, 1.9))) * rng.choice([0.0, 0.0, 0.6])
    return (v * (1 - crack))[..., None] * tint, rng.uniform(1.6, 2.4)


def slabs(rng, pal):
    nx = int(rng.choice([4, 6, 8]))
    edge, ident = bricks(rng, N, nx, nx, rng.choice([0.0, 0.5]))
    tone = rng.uniform(*pal.slab) * (1 + 0.16 * rng.standard_normal(nx * nx)[ident])
    v = tone * (1 + 0.10 * spectral(rng, N, 0.3, 30) + 0.08 * spectral(rng, N, 1.5))
    v = v * (0.35 + 0.65 * smoothstep(0.0, rng.uniform(0.04, 0.09), edge))
    return v[..., None] * _rgb(1.0, 0.97, rng.uniform(0.82, 0.97)), nx * rng.uniform(0.28, 0.5)


def pavers(rng, pal):
    if pal.basket and rng.random() < 0.6:
        k = int(rng.choice([8, 12]))
        edge, ident = basket(N, k)
        metres, count = k * 0.21, 2 * k * k
    else:
        nx = int(rng.choice([8, 10]))
        edge, ident = bricks(rng, N, nx, nx * 2, 0.5)
        metres, count = nx * rng.uniform(0.19, 0.24), nx * nx * 2
    a, b = pal.paver[rng.integers(len(pal.paver))]
    mix = np.clip(0.5 + 0.28 * rng.standard_normal(count), 0, 1)[ident]
    tile = _paint(mix, a, b) * (1 + 0.12 * spectral(rng, N, 0.4, 20))[..., None]
    joint = smoothstep(0.02, rng.uniform(0.08, 0.16), edge)[..., None]
    moss = rng.choice([0.0, 0.0, 1.0])
    fill = _rgb(0.07 - 0.02 * moss, 0.065 + 0.03 * moss, 0.05 - 0.02 * moss)
    return tile * joint + fill * (1 - joint), metres


def cobbles(rng, pal):
    nx = int(rng.integers(11, 17))
    edge, near, ident = cells(rng, N, nx, nx - nx % 2, rng.uniform(*pal.cobble_jitter), 0.5)
    dome = smoothstep(0.0, 0.35, edge) * (1 - 0.35 * near)
    tone = rng.uniform(0.10, 0.26) * (1 + 0.28 * rng.standard_normal(nx * nx)[ident])
    v = np.clip(tone, 0.03, 0.6) * (1 + 0.15 * spectral(rng, N, 0.4, 25)) * (0.25 + dome)
    tint = _paint(rng.random(nx * nx)[ident], (1.05, 0.98, 0.9), (0.9, 0.97, 1.05))
    return v[..., None] * tint * _relief(dome, 5.0), nx * 0.115


def gravel(rng, pal):
    nx = int(rng.integers(52, 70))
    edge, near, ident = cells(rng, N, nx, nx, 0.95)
    stone = smoothstep(0.02, 0.3, edge)
    mix = rng.random(nx * nx)[ident]
    a, b = pal.gravel[rng.integers(len(pal.gravel))]
    tile = _paint(mix, a, b) * (0.45 + 0.6 * stone * (1.2 - near))[..., None]
    return tile * (1 + 0.18 * spectral(rng, N, 1.3))[..., None], rng.uniform(1.2, 2.0)


def grass(rng, pal):
    """Blades drawn as strokes, dark ones first."""
    dry = rng.uniform(*pal.grass_dry)
    image = Image.new("RGB", (N, N), (18, 22, 12))
    draw = ImageDraw.Draw(image)
    count = int(rng.uniform(9000, 15000))
    x, y = rng.random((2, count)) * N
    ang = rng.normal(rng.uniform(0, 6.28), rng.uniform(0.5, 1.6), count)
    length = rng.uniform(8, 34, count) * rng.uniform(0.6, 1.2)
    lum = np.linspace(0.25, 1.0, count) * rng.uniform(0.6, 1.15, count)
    straw = rng.random(count) < dry
    green = np.stack([rng.uniform(0.28, 0.55, count), rng.uniform(0.55, 0.8, count),
                      rng.uniform(0.1, 0.3, count)], 1) * pal.grass_gain
    colour = np.where(straw[:, None], rng.uniform([0.6, 0.5, 0.3], [0.8, 0.7, 0.45], (count, 3)),
                      green) * lum[:, None] * 250
    dx, dy = np.cos(ang) * length, np.sin(ang) * length
    for i in range(count):
        c = tuple(int(k) for k in colour[i])
        for ox in ((0, -N) if x[i] + dx[i] > N else (0,)):
            draw.line((x[i] + ox, y[i], x[i] + dx[i] + ox, y[i] + dy[i]), c, 1 + (i % 5 == 0))
    tile = (np.asarray(image, np.float32) / 255.0) ** 2
    tile *= (1 + 0.22 * spectral(rng, N, 1.6))[..., None]
    return np.clip(tile, 0.003, 1), rng.uniform(0.8, 1.4)


def soil(rng, pal):
    f = 0.5 + 0.2 * spectral(rng, N, 0.9) + 0.12 * spectral(rng, N, 0.2, 30)
    tile = _paint(f, (0.035, 0.025, 0.017), (0.12, 0.085, 0.055), (0.26, 0.2, 0.14))
    return tile * rng.uniform(0.6, 1.4), rng.uniform(1.2, 2.0)


def wall_brick(rng, pal):
    nx = 8
    edge, ident = bricks(rng, N, nx, 24, 0.5)
    a, b = pal.wall[rng.integers(len(pal.wall))]
    tile = _paint(np.clip(0.5 + 0.3 * rng.standard_normal(nx * 24), 0, 1)[ident], a, b)
    tile = tile * (1 + 0.12 * spectral(rng, N, 0.4, 10) + 0.1 * spectral(rng, N, 1.5))[..., None]
    joint = smoothstep(0.05, 0.14, edge)[..., None]
    return tile * joint + rng.uniform(0.12, 0.4) * (1 - joint), nx * 0.22


def plaster(rng, pal):
    tone = pal.plaster[rng.integers(len(pal.plaster))]
    drip = spectral(rng, N, 1.3, 1, 4.0)
    v = 1 + 0.08 * spectral(rng, N, 0.6, 12) + 0.13 * drip + 0.1 * spectral(rng, N, 1.7)
    return np.clip(v, 0.3, 2)[..., None] * _rgb(*tone), 3.0


def hedge(rng, pal):
    edge, near, ident = cells(rng, N, 60, 60, 1.0)
    lum = rng.random(3600)[ident] * (1.1 - near) * (1 + 0.5 * spectral(rng, N, 1.2))
    a, b = pal.hedge[rng.integers(len(pal.hedge))]
    return _paint(np.clip(lum, 0, 1), (0.006, 0.01, 0.005), a, b), rng.uniform(1.2, 2.2)


def timber(rng, pal):
    edge, ident = bricks(rng, N, 16, 1, 0.0)
    grain = spectral(rng, N, 0.9, 2, 16.0)
    tone = rng.uniform(0.08, 0.3) * (1 + 0.2 * rng.standard_normal(16)[ident]) * (1 + 0.15 * grain)
    tint = _rgb(1.0, rng.uniform(0.75, 0.95), rng.uniform(0.5, 0.9))
    plank = np.mgrid[0:N, 0:N][1] * 16 / N % 1
    gap = smoothstep(0.0, 0.07, np.minimum(plank, 1 - plank))
    return (tone * (0.15 + 0.85 * gap))[..., None] * tint, 2.0


def facade(rng, pal):
    """Two storeys of windows in a wall, for what stands far off."""
    wall, _ = (wall_brick if rng.random() < 0.5 else plaster)(rng, pal)
    tile = wall.copy()
    nx = int(rng.integers(3, 6))
    glass = _rgb(0.05, 0.06, 0.075) * rng.uniform(0.5, 3)
    frame = rng.uniform(0.1, 0.8)
    for i in range(nx):
        for j in range(2):
            x0, w = int((i + 0.22) * N / nx), int(0.55 * N / nx)
            y0, h = int((j + 0.2) * N / 2), int(rng.uniform(0.42, 0.6) * N / 2)
            tile[y0:y0 + h, x0:x0 + w] = frame
            shade = np.linspace(1.8, 0.7, h - 8)[:, None, None] * rng.uniform(0.5, 1.5)
            tile[y0 + 4:y0 + h - 4, x0 + 4:x0 + w - 4] = glass * shade
    return tile, rng.uniform(5.5, 7.5)


def leaves(rng, pal, density):
    """Scattered leaves with coverage in the fourth channel: an overlay."""
    image = Image.new("RGBA", (N, N), (90, 70, 40, 0))
    draw = ImageDraw.Draw(image)
    for _ in range(density):
        cx, cy, a = rng.random() * N, rng.random() * N, rng.uniform(0, 6.28)
        long, wide = rng.uniform(7, 19), rng.uniform(0.3, 0.75)
        t = np.linspace(0, 2 * np.pi, 14)
        r = 1 + rng.uniform(0, 0.3) * np.cos(int(rng.integers(3, 6)) * t)
        px, py = long * r * np.cos(t), long * wide * r * np.sin(t)
        c = np.array(pal.leaf[rng.integers(len(pal.leaf))]) * rng.uniform(0.6, 1.15)
        c = np.sqrt(np.clip(c, 0, 1)) * 255
        xs, ys = px * np.cos(a) - py * np.sin(a) + cx, px * np.sin(a) + py * np.cos(a) + cy
        for ox in (-N, 0, N):
            for oy in (-N, 0, N):
                if -30 < cx + ox < N + 30 and -30 < cy + oy < N + 30:
                    q = [(u + ox, v + oy) for u, v in zip(xs, ys)]
                    draw.polygon([(u + 2, v + 2) for u, v in q], (12, 10, 6, 110))
                    draw.polygon(q, (*(int(k) for k in c), 255))
                    draw.line([q[0], q[7]], tuple(int(k * 0.75) for k in c) + (255,), 1)
    tile = np.asarray(image, np.float32) / 255.0
    tile[..., :3] **= 2
    return tile, rng.uniform(1.5, 2.2)


def petals(rng, pal, density):
    """Daisies, dandelions and clover heads: bright specks that are no litter."""
    image = Image.new("RGBA", (N, N), (60, 90, 30, 0))
    draw = ImageDraw.Draw(image)
    kinds = [((235, 235, 225), (225, 185, 40)), ((230, 195, 30), (210, 160, 20)),
             ((190, 150, 200), (160, 110, 170)), ((240, 225, 235), (210, 190, 90))]
    outer, inner = kinds[rng.integers(len(kinds))]
    clump = rng.random((12, 2)) * N
    for _ in range(density):
        cx, cy = (clump[rng.integers(12)] + rng.normal(0, 40, 2)) % N
        r = rng.uniform(2.5, 5.5)
        draw.ellipse((cx - r, cy - r, cx + r, cy + r), outer + (255,))
        draw.ellipse((cx - r / 3, cy - r / 3, cx + r / 3, cy + r / 3), inner + (255,))
    tile = np.asarray(image, np.float32) / 255.0
    tile[..., :3] **= 2
    return tile, rng.uniform(1.4, 2.0)
