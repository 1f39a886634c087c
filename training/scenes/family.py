"""The two families of streets: one to learn from, one held out.

They differ in every random seed, in colours and proportions of their surfaces, and in the designs
of some objects, so that accuracy on the second says something about unseen streets of this world.
"""

from dataclasses import dataclass, replace


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
    held_back=True,
)

# More of the training family's world: other tiles, and things of no particular kind, so that what
# the network has not seen before is litter less often.
WIDE = {f"wide{k}": replace(TRAIN, texture_seed=2201 + k, oddments=True) for k in range(2)}

FAMILIES = {"train": TRAIN, **WIDE, "heldout": HELD_OUT}
