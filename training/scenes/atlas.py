"""One family's tiles and their mip levels, in one flat array that a picture samples at once."""

from functools import lru_cache

import numpy as np

from . import textures as tx
from .family import FAMILIES
from .noise import spectral

N = tx.N
LEVELS = 7
_SIDES = np.array([N >> k for k in range(LEVELS)])
_OFFSET = np.concatenate([[0], np.cumsum(_SIDES**2)])[:LEVELS].astype(np.int32)
_TOTAL = int((_SIDES**2).sum())
MACRO_METRES = 12.0

_VARIANTS = {"asphalt": 5, "slabs": 4, "pavers": 5, "cobbles": 4, "gravel": 3, "grass": 6,
             "soil": 2, "wall_brick": 3, "plaster": 3, "hedge": 4, "timber": 2, "facade": 3}


class Atlas:
    """Tiles by kind (`kinds[name]` lists tile numbers) and their bilinear, mip-mapped sampling."""

    def __init__(self, family):
        palette = FAMILIES[family]
        self.palette = palette
        self.kinds = {}
        self._texels = []
        self._density = []
        for kind, count in _VARIANTS.items():
            for k in range(count):
                rng = self._rng(kind, k)
                self._add(kind, *tx.stray(rng, palette, *getattr(tx, kind)(rng, palette)))
        for k, density in enumerate((40, 120, 330)):
            self._add("leaves", *tx.leaves(self._rng("leaves", k), palette, density))
        for k, density in enumerate((50, 130, 130)):
            self._add("petals", *tx.petals(self._rng("petals", k), palette, density))
        self._texels = np.concatenate(self._texels)
        self._density = np.array(self._density, np.float32)
        rng = self._rng("macro", 0)
        self._macro = np.stack([spectral(rng, N, s, 1.5) for s in (1.6, 1.2, 1.9, 0.9)])

    def _rng(self, kind, k):
        return np.random.default_rng([self.palette.texture_seed, k, *kind.encode()])

    def _add(self, kind, tile, metres):
        if tile.shape[2] == 3:
            tile = np.concatenate([tile, np.ones_like(tile[..., :1])], 2)
        tile = tile.astype(np.float32)
        self.kinds.setdefault(kind, []).append(len(self._density))
        self._density.append(N / metres)
        for _ in range(LEVELS):
            coded = np.clip(tile, 0, 1)
            coded = np.concatenate([np.sqrt(coded[..., :3]), coded[..., 3:]], 2)
            self._texels.append((coded * 255 + 0.5).astype(np.uint8).reshape(-1, 4).view(np.uint32))
            tile = (tile[::2, ::2] + tile[1::2, ::2] + tile[::2, 1::2] + tile[1::2, 1::2]) / 4

    def sample(self, tile, u, v, footprint):
        """Linear RGB and coverage at (u, v) metres; `footprint` is the size of a pixel there, m."""
        per_m = self._density[tile]
        level = np.log2(np.maximum(footprint * per_m, 1.0) + 1e-6)
        level = np.clip(level + 0.2, 0, LEVELS - 1).astype(np.int32)
        scale = per_m / (1 << level)
        x, y = u * scale - 0.5, v * scale - 0.5
        x0, y0 = np.floor(x).astype(np.int32), np.floor(y).astype(np.int32)
        wx, wy = (x - x0).astype(np.float32)[:, None], (y - y0).astype(np.float32)[:, None]
        side = N >> level
        mask = side - 1
        base = tile * _TOTAL + _OFFSET[level]
        xa, xb = x0 & mask, (x0 + 1) & mask
        ya, yb = base + (y0 & mask) * side, base + ((y0 + 1) & mask) * side
        flat = self._texels.reshape(-1)

        def tap(i):
            return flat[i].view(np.uint8).reshape(-1, 4).astype(np.float32)

        top = tap(ya + xa)
        top += (tap(ya + xb) - top) * wx
        low = tap(yb + xa)
        low += (tap(yb + xb) - low) * wx
        top += (low - top) * wy
        top *= 1 / 255.0
        return top[:, :3] ** 2, top[:, 3]

    def macro(self, channel, u, v, metres=MACRO_METRES):
        """Slow unit-variance noise at (u, v) metres; repeats after `metres`."""
        k = N / metres
        x, y = u * k, v * k
        x0, y0 = np.floor(x).astype(np.int32), np.floor(y).astype(np.int32)
        wx, wy = (x - x0).astype(np.float32), (y - y0).astype(np.float32)
        field = self._macro[channel].reshape(-1)
        m = N - 1
        xa, xb, ya, yb = x0 & m, (x0 + 1) & m, (y0 & m) * N, ((y0 + 1) & m) * N
        a = field[ya + xa] * (1 - wx) + field[ya + xb] * wx
        b = field[yb + xa] * (1 - wx) + field[yb + xb] * wx
        return a * (1 - wy) + b * wy


@lru_cache(maxsize=None)
def atlas(family):
    """The family's atlas, made once a process (about two seconds)."""
    return Atlas(family)
