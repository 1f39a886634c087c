"""A finished street scene: `render(seed, litter)` gives the picture and where its litter lies."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from . import harmless, litter as trash
from .march import put
from .photo import compress, develop
from .stage import Stage

SUPERSAMPLE = 1.5
MIN_SIDE = 9.0  # px at 160: square root of the visible area that the main thing must have
REFERENCE = 160
ATTEMPTS = 12


@dataclass(frozen=True)
class Scene:
    pixels: np.ndarray  # [height, width, 3] uint8, after JPEG
    mask: np.ndarray  # [height, width] uint8, 255 where litter is seen
    side: float  # px at 160 of the largest piece of litter (of the main thing in clean scenes)
    names: tuple  # the litter that is seen, largest first
    quality: int  # of the JPEG


def render(seed, litter, family="train", size=(288, 216), smallest=MIN_SIDE):
    """The scene of `seed` with or without litter, at any size of aspect 4:3.

    The street, the light, the camera and the number of things are the same either way; with
    litter, some of the things are litter. The main thing is never smaller than `smallest`.
    """
    stage = Stage(seed, family)
    width, height = int(size[0] * SUPERSAMPLE), int(size[1] * SUPERSAMPLE)
    canvas = stage.render(width, height)
    bare = canvas.colour.copy(), canvas.depth.copy()
    for attempt in range(ATTEMPTS):
        canvas.colour, canvas.depth = bare[0].copy(), bare[1].copy()
        mask, sizes, main = _furnish(stage, canvas, litter, [seed, 2, int(litter), attempt])
        if main >= smallest:
            break
    else:
        return render(seed + 1_000_003, litter, family, size, smallest)
    image, quality = develop(np.random.default_rng([seed, 3]), canvas, stage.light, size)
    cover = Image.fromarray(mask.reshape(height, width)).resize(size, Image.BOX)
    names = tuple(name for _, name in sorted(sizes, reverse=True))
    side = max(sizes)[0] if sizes else main
    return Scene(compress(image, quality), np.asarray(cover), side, names, quality)


def _furnish(stage, canvas, litter, seed):
    """Puts 1 to 7 things down, or a heap of up to 21, the far ones first.

    Returns (mask, [(side, name)], main side).
    """
    rng = np.random.default_rng(seed)
    held = stage.atlas.palette.held_back
    waste = trash.COMMON + (trash.HELD_BACK * 2 if held else ())
    count, dump = int(rng.choice([1, 2, 3, 4, 5, 7])), None
    if rng.random() < 0.08:
        count, dump = int(rng.integers(12, 22)), rng.uniform(0.15, 0.5)
    things = []
    for i in range(count):
        is_litter = bool(rng.random() < (0.8 if dump else 0.3)) or i == 0
        is_litter = litter and is_litter
        where, which, growth = rng.random(), rng.random(), rng.uniform(0.9, 1.35)
        soil = where < 0.5
        designs = waste
        if not is_litter:
            designs = harmless.ON_SOIL if soil else harmless.ANYWHERE
            designs += harmless.HELD_BACK if held else ()
            designs += harmless.ODDMENTS if stage.atlas.palette.oddments else ()
        maker, inner = designs[int(which * len(designs))], int(rng.integers(1 << 31))
        thing = maker(np.random.default_rng(inner)).scaled(growth)
        spot = _spot(rng, stage, thing.reach, i == 0, soil)
        if dump and things:
            spot = things[0][3] + rng.normal(0, dump, 2)
            spot = spot if spot[1] > 0.3 else None
        if spot is not None and thing.name == "molehill" and not stage.ground.soft_at(*spot):
            thing = harmless.stone(np.random.default_rng(inner))
        if spot is not None:
            things.append((float(np.hypot(*spot)), i, thing, spot, is_litter))
    mask = np.zeros(len(canvas.depth), np.uint8)
    owner = np.full(len(canvas.depth), -1, np.int16)
    for _, i, thing, spot, is_litter in sorted(things, key=lambda s: -s[0]):
        stage.stand_on(*spot)
        index = put(stage, canvas, thing, *spot)
        owner[index] = i
        mask[index] = 255 if is_litter else 0
    unit = REFERENCE / np.sqrt(len(owner))
    sides = {i: float(np.sqrt((owner == i).sum())) * unit for _, i, *_ in things}
    seen = [(sides[i], thing.name) for _, i, thing, _, bad in things if bad and sides[i] > 2]
    return mask, seen, sides.get(0, 0.0)


def _spot(rng, stage, reach, main, soil):
    """A ground point in view, if can be on soil or grass when `soil` asks for it.

    The main thing's is picked for its apparent size.
    """
    camera, spot = stage.camera, None
    for _ in range(6):
        x = rng.uniform(0.06, 0.94)
        if not main:
            spot = camera.ground_at(x, rng.uniform(0.1, 1.0), 4 / 3)
        else:
            side = np.exp(rng.uniform(np.log(9), np.log(55)))
            want = 1.25 * reach * REFERENCE / 2 / camera.tan_half / side
            rows = [camera.ground_at(x, y, 4 / 3) for y in np.linspace(0.06, 0.92, 24)]
            rows = [r for r in rows if r is not None]
            far = [abs(np.log(np.hypot(np.hypot(*r), camera.height) / want)) for r in rows]
            spot = rows[int(np.argmin(far))] if rows else None
        if spot is not None and np.hypot(*spot) < 30 and stage.ground.soft_at(*spot) == soil:
            break
    return spot
