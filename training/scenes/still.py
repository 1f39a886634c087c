"""What a camera that stands still sees: `sequence(seed, count)` gives picture after picture."""

import numpy as np

from . import harmless, litter as trash
from .march import put
from .photo import compress, develop
from .scene import MIN_SIDE, REFERENCE, SUPERSAMPLE, _spot
from .stage import Stage

THINGS = 6  # that come and go in a sequence
CLOUDS = 0.12  # by how much the light goes up and down, and ...
FLICKER = 0.01  # ... from picture to picture besides


def sequence(seed, count, family="train", size=(288, 216), smallest=MIN_SIDE):
    """Yields (pixels, state, litter): a picture after its JPEG, a number for what lies there, and
    whether litter is among it.

    Things appear, stay for a while and are gone again. The light drifts, noise and rain are each
    picture's own, and everything else stands still. Each thing is at least `smallest` px at 160.
    """
    stage = Stage(seed, family)
    width, height = int(size[0] * SUPERSAMPLE), int(size[1] * SUPERSAMPLE)
    bare = stage.render(width, height)
    empty = bare.colour.copy(), bare.depth.copy()
    rng = np.random.default_rng([seed, 4])
    stays = _stays(rng, stage, count)
    period, phase = rng.uniform(0.3, 1.5) * count, rng.uniform(0, 2 * np.pi)
    states, drawn = [], {}
    for moment in range(count):
        there = tuple(i for i, stay in enumerate(stays) if stay[0] <= moment < stay[1])
        if there not in drawn:
            bare.colour, bare.depth = empty[0].copy(), empty[1].copy()
            seen = _furnish(stage, bare, [stays[i][2:] for i in there], smallest)
            kept = tuple(i for i, visible in zip(there, seen) if visible)
            drawn[there] = bare.colour, kept
        colour, kept = drawn[there]
        if kept not in states:
            states.append(kept)
        light = 1 + CLOUDS * np.sin(2 * np.pi * moment / period + phase)
        bare.colour = colour * np.float32(light + FLICKER * rng.standard_normal())
        image, quality = develop(np.random.default_rng([seed, 3]), bare, stage.light, size,
                                 int(rng.integers(1 << 31)))
        litter = any(stays[i][4] for i in kept)
        yield compress(image, quality), states.index(kept), litter


def _stays(rng, stage, count):
    """[(first, end, thing, spot, whether it is litter)], what comes and goes."""
    stays = []
    while len(stays) < THINGS:
        is_litter = rng.random() < 0.5
        designs = trash.COMMON if is_litter else harmless.ANYWHERE
        maker = designs[int(rng.integers(len(designs)))]
        thing = maker(np.random.default_rng(rng.integers(1 << 31))).scaled(rng.uniform(0.9, 1.35))
        spot = _spot(rng, stage, thing.reach, True, rng.random() < 0.5)
        first = int(rng.uniform(0, 0.9) * count)
        if spot is not None:
            stays.append((first, first + int(rng.uniform(0.05, 0.5) * count), thing, spot,
                          is_litter))
    return stays


def _furnish(stage, canvas, things, smallest):
    """Puts things down, the far ones first; whether each is there at its size in what is seen."""
    order = sorted(range(len(things)), key=lambda i: -np.hypot(*things[i][1]))
    owner = np.full(len(canvas.depth), -1, np.int16)
    for i in order:
        thing, spot, _ = things[i]
        stage.stand_on(*spot)
        owner[put(stage, canvas, thing, *spot)] = i
    unit = REFERENCE / np.sqrt(len(owner))
    return [np.sqrt((owner == i).sum()) * unit >= smallest for i in range(len(things))]
