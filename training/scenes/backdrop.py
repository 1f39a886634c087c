"""What stands above the ground: sky, clouds, a skyline, side walls or hedges, poles and trunks."""

from dataclasses import dataclass

import numpy as np

from .noise import smoothstep


@dataclass(frozen=True)
class Wall:
    """A vertical plane along the street at lateral position `u`, or across it at `v`."""

    along: bool
    at: float
    height: float
    ragged: float  # metres of unevenness of the top edge
    tile: int


@dataclass(frozen=True)
class Pole:
    """A vertical cylinder: lamp post, bollard or tree trunk."""

    x: float
    y: float
    radius: float
    height: float
    colour: tuple
    tile: int  # -1 for plain paint


@dataclass(frozen=True)
class Backdrop:
    walls: tuple
    poles: tuple
    skyline: tuple  # (tile, amplitude in radians, frequency, phase)
    heading: float  # direction of the street against the camera's, radians

    def shade(self, atlas, light, origin_z, d, pixel, ground_t):
        """Colour of rays and the mask of those that end here rather than on the ground.

        d [n, 3] unit directions, pixel the angle of a pixel, ground_t [n] distance to the ground
        (inf above the horizon).
        """
        colour = np.zeros((len(d), 3), np.float32)
        near = ground_t.copy()
        hit = ~np.isfinite(ground_t)
        c, s = np.cos(self.heading), np.sin(self.heading)
        du, dv = d[:, 0] * c + d[:, 1] * s, d[:, 1] * c - d[:, 0] * s
        normal_u = light.sun[0] * c + light.sun[1] * s
        normal_v = light.sun[1] * c - light.sun[0] * s
        for wall in self.walls:
            across, run = (du, dv) if wall.along else (dv, du)
            t = wall.at / np.where(np.abs(across) < 1e-4, 1e-4, across)
            k = np.flatnonzero((t > 0) & (t < near))
            z, w = origin_z + t[k] * d[k, 2], t[k] * run[k]
            top = wall.height
            if wall.ragged:
                top = top + wall.ragged * atlas.macro(3, w, np.full_like(w, wall.at), 5.0)
            inside = (z < top) & (z > -0.05)
            k, z, w = k[inside], z[inside], w[inside]
            if not len(k):
                continue
            texel, _ = atlas.sample(np.full(len(k), wall.tile), w, -z, t[k] * pixel)
            facing = -(normal_u if wall.along else normal_v) * np.sign(wall.at)
            lit = light.ambient * 0.75 + light.direct * max(0.0, facing)
            foot = 0.45 + 0.55 * smoothstep(0.0, 0.5, z)
            colour[k] = self._haze(light, texel * lit * foot[:, None], t[k])
            near[k], hit[k] = t[k], True
        k = np.flatnonzero(np.isinf(near))
        colour[k] = self._sky(atlas, light, d[k])
        flat = d[:, 0] ** 2 + d[:, 1] ** 2 + 1e-9
        for pole in self.poles:
            t = (pole.x * d[:, 0] + pole.y * d[:, 1]) / flat
            side = (d[:, 0] * pole.y - d[:, 1] * pole.x) / np.sqrt(flat)
            z = origin_z + t * d[:, 2]
            k = np.flatnonzero((np.abs(side) < pole.radius) & (t > 0.05) & (t < near + pole.radius)
                               & (z > 0) & (z < pole.height))
            if not len(k):
                continue
            turn = side[k] / pole.radius
            view = np.arctan2(pole.y, pole.x)
            normal = np.stack([-np.cos(view - turn), -np.sin(view - turn)], 1)
            facing = np.clip(normal @ light.sun[:2], 0, 1)
            base = np.array(pole.colour, np.float32)
            if pole.tile >= 0:
                texel, _ = atlas.sample(np.full(len(k), pole.tile), turn * 0.3, -z[k], t[k] * pixel)
                base = texel * base
            lit = light.ambient * (0.5 + 0.3 * (1 - np.abs(turn[:, None])))
            colour[k] = base * (lit + light.direct * facing[:, None])
            hit[k], near[k] = True, t[k]
        return colour, hit, near

    @staticmethod
    def _haze(light, colour, t):
        keep = np.exp(-light.haze * t)[:, None]
        return colour * keep + light.horizon * (1 - keep) * 0.8

    def _sky(self, atlas, light, d):
        up = np.clip(d[:, 2], 0, 1)
        mix = smoothstep(0.0, 0.55, up)[:, None]
        colour = light.horizon * (1 - mix) + light.zenith * mix
        lift = 1.0 / np.maximum(up, 0.04)
        cover = atlas.macro(0, d[:, 0] * lift, d[:, 1] * lift, 14.0)
        cover = smoothstep(1.0 - 2.0 * light.cloud, 2.4 - 2.0 * light.cloud, cover)[:, None]
        colour += (light.horizon * 1.15 + 0.05 - colour) * cover * 0.8
        tile, amplitude, frequency, phase = self.skyline
        if tile >= 0:
            turn = np.arctan2(d[:, 0], d[:, 1])
            edge = 0.6 + 0.4 * atlas.macro(0, turn * frequency + phase, np.zeros_like(turn))
            k = np.flatnonzero(d[:, 2] < amplitude * edge)
            texel, _ = atlas.sample(np.full(len(k), tile), turn[k] * 25, -d[k, 2] * 25,
                                    np.full(len(k), 0.03))
            lit = texel * (light.ambient + 0.3 * light.direct)
            colour[k] = 0.72 * lit + 0.28 * light.horizon * 0.7
        return colour


def draw_backdrop(rng, atlas, left, right, heading):
    """Walls stand at the outer borders `left` < 0 < `right` of the street, or nothing does."""
    pick = lambda kind: int(rng.choice(atlas.kinds[kind]))
    walls = []
    for at in (left, right):
        kind = rng.choice(["none", "hedge", "hedge", "wall_brick", "plaster", "timber", "facade"])
        if kind == "none":
            continue
        height = {"facade": 9.0, "timber": 1.9}.get(kind, rng.uniform(0.7, 3.0))
        walls.append(Wall(True, at, height, 0.12 if kind == "hedge" else 0.0, pick(kind)))
    if rng.random() < 0.5:
        kind = rng.choice(["hedge", "facade", "wall_brick"])
        height = 9.0 if kind == "facade" else rng.uniform(1.0, 3.0)
        ragged = 0.25 if kind == "hedge" else 0.0
        walls.append(Wall(False, rng.uniform(7, 25), height, ragged, pick(kind)))
    poles = []
    for _ in range(rng.choice([0, 0, 1, 1, 2, 3])):
        y = rng.uniform(1.8, 9)
        x = rng.uniform(-0.6, 0.6) * y
        kind = rng.choice(["trunk", "lamp", "bollard", "post"])
        if kind == "trunk":
            poles.append(Pole(x, y, rng.uniform(0.08, 0.24), 9, (0.9, 0.85, 0.8), pick("timber")))
        elif kind == "lamp":
            poles.append(Pole(x, y, 0.06, 9, (rng.uniform(0.05, 0.4),) * 3, -1))
        elif kind == "bollard":
            colour = [(0.05, 0.05, 0.06), (0.35, 0.34, 0.32), (0.5, 0.05, 0.04), (0.6, 0.6, 0.58)]
            poles.append(Pole(x, y, rng.uniform(0.05, 0.1), rng.uniform(0.6, 1.0),
                              colour[rng.integers(4)], -1))
        else:
            poles.append(Pole(x, y, 0.03, rng.uniform(1.0, 2.5), (0.3, 0.28, 0.24), pick("timber")))
    poles.sort(key=lambda p: -(p.x**2 + p.y**2))
    skyline = (-1, 0.0, 0.0, 0.0)
    if rng.random() < 0.85:
        tile = pick(rng.choice(["hedge", "hedge", "facade"]))
        skyline = (tile, rng.uniform(0.06, 0.25), rng.uniform(1, 5), rng.uniform(0, 12))
    return Backdrop(tuple(walls), tuple(poles), skyline, heading)
