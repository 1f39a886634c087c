"""The families of streets: some to learn from, some to choose by, one held out.

They differ in every random seed and in the colours, sizes and patterns of their surfaces, so that
accuracy on a family that was not trained on says something about unseen streets of this world.
"""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Palette:
    """Ranges and colours in linear light (0..1) that the textures draw from."""

    texture_seed: int
    asphalt: tuple
    slab: tuple
    paver: tuple
    basket: bool
    cobble_jitter: tuple
    gravel: tuple
    grass_dry: tuple
    grass_gain: float
    wall: tuple
    plaster: tuple
    hedge: tuple
    leaf: tuple
    held_back: bool = False  # whether the designs that training never shows are in use
    oddments: bool = False  # whether made-up natural things lie among the others
    stray: float = 0.0  # how far each tile's colour, contrast and size stray from its kind's


TRAIN = Palette(
    texture_seed=1101,
    asphalt=(0.035, 0.19),
    slab=(0.16, 0.42),
    paver=(((0.17, 0.06, 0.04), (0.30, 0.13, 0.09)), ((0.13, 0.12, 0.12), (0.26, 0.25, 0.24)),
           ((0.24, 0.18, 0.10), (0.36, 0.28, 0.19))),
    basket=False,
    cobble_jitter=(0.15, 0.45),
    gravel=(((0.14, 0.12, 0.10), (0.42, 0.38, 0.32)), ((0.10, 0.10, 0.11), (0.38, 0.38, 0.38))),
    grass_dry=(0.02, 0.35),
    grass_gain=1.0,
    wall=(((0.16, 0.05, 0.03), (0.34, 0.13, 0.08)), ((0.26, 0.20, 0.13), (0.44, 0.36, 0.26))),
    plaster=((0.62, 0.58, 0.50), (0.45, 0.45, 0.44), (0.55, 0.44, 0.28)),
    hedge=(((0.03, 0.07, 0.015), (0.14, 0.25, 0.06)), ((0.02, 0.05, 0.02), (0.08, 0.17, 0.07))),
    leaf=((0.42, 0.22, 0.04), (0.30, 0.12, 0.03), (0.50, 0.36, 0.06), (0.14, 0.20, 0.04),
          (0.22, 0.10, 0.04), (0.32, 0.05, 0.03)),
)

HELD_OUT = Palette(
    texture_seed=9907,
    asphalt=(0.05, 0.15),
    slab=(0.2, 0.36),
    paver=(((0.20, 0.09, 0.05), (0.28, 0.16, 0.12)), ((0.10, 0.10, 0.11), (0.20, 0.21, 0.23)),
           ((0.28, 0.20, 0.13), (0.40, 0.30, 0.18))),
    basket=True,
    cobble_jitter=(0.3, 0.6),
    gravel=(((0.18, 0.14, 0.09), (0.46, 0.40, 0.30)), ((0.12, 0.11, 0.10), (0.30, 0.29, 0.27))),
    grass_dry=(0.05, 0.28),
    grass_gain=0.9,
    wall=(((0.20, 0.08, 0.05), (0.30, 0.15, 0.10)), ((0.12, 0.11, 0.11), (0.24, 0.22, 0.20))),
    plaster=((0.55, 0.56, 0.52), (0.60, 0.52, 0.42), (0.38, 0.36, 0.32)),
    hedge=(((0.025, 0.06, 0.01), (0.17, 0.22, 0.05)), ((0.03, 0.05, 0.02), (0.10, 0.20, 0.05))),
    leaf=((0.45, 0.26, 0.06), (0.26, 0.13, 0.05), (0.44, 0.34, 0.10), (0.18, 0.22, 0.06),
          (0.36, 0.09, 0.03)),
)


def _two(rng, low, high, spread):
    """A dark and a light colour between which a material lies: warm, neutral or cool."""
    dark = np.exp(rng.uniform(np.log(low), np.log(high)))
    light = dark * rng.uniform(1.2, spread)
    warm = rng.uniform(-0.15, 0.7)
    tint = np.array([1.0, 1 - 0.5 * max(warm, 0) * rng.uniform(0.6, 1.1), 1 - warm])
    return tuple(dark * tint), tuple(light * tint * np.exp(rng.normal(0, 0.05, 3)))


def _between(rng, low, high):
    return tuple(np.sort(rng.uniform(low, high, 2)))


def drawn(seed, oddments=False):
    """A palette drawn from wide ranges, so that no texture and no colour is there every time."""
    rng = np.random.default_rng([seed, 505])
    green = lambda: (tuple(rng.uniform((0.015, 0.04, 0.005), (0.06, 0.09, 0.04))),
                     tuple(rng.uniform((0.06, 0.13, 0.02), (0.24, 0.32, 0.12))))
    leaf = lambda: tuple(rng.uniform((0.12, 0.05, 0.01), (0.55, 0.38, 0.12)))
    return Palette(
        texture_seed=30_000 + seed, asphalt=_between(rng, 0.025, 0.26),
        slab=_between(rng, 0.1, 0.5), paver=tuple(_two(rng, 0.06, 0.3, 2.6) for _ in range(4)),
        basket=False, cobble_jitter=_between(rng, 0.05, 0.8),
        gravel=tuple(_two(rng, 0.06, 0.26, 4.0) for _ in range(3)),
        grass_dry=_between(rng, 0.0, 0.6), grass_gain=rng.uniform(0.7, 1.15),
        wall=tuple(_two(rng, 0.06, 0.34, 2.4) for _ in range(3)),
        plaster=tuple(_two(rng, 0.18, 0.6, 1.3)[1] for _ in range(3)),
        hedge=tuple(green() for _ in range(3)), leaf=tuple(leaf() for _ in range(7)),
        oddments=oddments, stray=rng.uniform(0.06, 0.18))


# More worlds to learn from: other tiles, and in some of them things of no particular kind, so that
# what the network has not seen before is litter less often.
WIDE = {f"wide{k}": replace(TRAIN, texture_seed=2201 + k, oddments=True) for k in range(2)}
DRAWN = {f"drawn{k}": drawn(k, oddments=k % 3 == 0) for k in range(106)}
# To choose the model and its threshold by; nothing is trained on them.
FRESH = {f"fresh{k}": drawn(1000 + k) for k in range(8)}
# The held-out streets again, with designs of litter and of harmless things that training lacks.
UNSEEN = replace(HELD_OUT, held_back=True)

FAMILIES = {"train": TRAIN, **WIDE, **DRAWN, **FRESH, "heldout": HELD_OUT, "unseen": UNSEEN}
