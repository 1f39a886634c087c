"""The empty street of one seed: its ground, its backdrop and its light, as a linear picture."""

from dataclasses import dataclass

import numpy as np

from .atlas import atlas
from .backdrop import draw_backdrop
from .camera import draw_camera
from .ground import draw_ground
from .light import draw_light


@dataclass
class Canvas:
    """A linear picture in the making, flat arrays over rows * columns pixels."""

    width: int
    height: int
    colour: np.ndarray  # [n, 3]
    depth: np.ndarray  # [n] distance along the ray, metres
    pixel: float  # angle of a pixel, radians


class Stage:
    """The empty street of one seed."""

    def __init__(self, seed, family):
        rng = np.random.default_rng([seed, 1])
        self.atlas = atlas(family)
        self.camera = draw_camera(rng)
        self.light = draw_light(rng)
        self.ground, left, right = draw_ground(rng, self.atlas, self.light)
        self.backdrop = draw_backdrop(rng, self.atlas, left, right, self.ground.heading)
        self.blades = rng.uniform(0.015, 0.07)  # metres of grass above the ground
        self.soft_under = None  # blade length where the thing being drawn lies

    def stand_on(self, x, y):
        """Notes what grows at the spot where the next thing is put."""
        self.soft_under = self.blades if self.ground.soft_at(x, y) else None

    def sunlit_at(self, point):
        """Direct light, 0..1, that the surroundings let through to a point on the ground."""
        x, y = np.array([point[0]], np.float32), np.array([point[1]], np.float32)
        u, v = self.ground.street(x, y)
        return float(self.ground.sunlit(self.atlas, x, y, u, v)[0])

    def render(self, width, height):
        camera, light = self.camera, self.light
        d = camera.rays(0, width, 0, height, width, height).reshape(-1, 3)
        pixel = 2 * camera.tan_half / width
        down = d[:, 2] < -0.015
        t = np.full(len(d), np.inf, np.float32)
        t[down] = -camera.height / d[down, 2]
        colour = np.zeros((len(d), 3), np.float32)
        wall, hit, depth = self.backdrop.shade(self.atlas, light, camera.height, d, pixel, t)
        colour[hit] = wall[hit]
        k = np.flatnonzero(~hit)
        colour[k] = self._floor(d[k], t[k], pixel)
        return Canvas(width, height, colour, depth, pixel)

    def _floor(self, d, t, pixel):
        light, camera = self.light, self.camera
        x, y = d[:, 0] * t, d[:, 1] * t
        albedo, sunlit, water = self.ground.shade(self.atlas, light, x, y, t, d, pixel)
        for pole in self.backdrop.poles:
            sunlit = sunlit * self._pole_shadow(pole, x, y)
        lit = light.ambient + light.direct * (light.sun[2] * sunlit)[:, None]
        wet = np.maximum(light.wet * 0.7, water)[:, None]
        colour = albedo * lit * (1 - 0.55 * wet)
        if light.wet > 0.05:
            k = np.flatnonzero((water > 0.02) | (light.wet > 0.5))
            mirror = d[k] * np.array([1, 1, -1], np.float32)
            rough = self.atlas.macro(3, x[k] * 7, y[k] * 7)
            mirror[:, 2] += 0.03 * rough * (1 - water[k])
            sky, _, _ = self.backdrop.shade(self.atlas, light, 0.0, mirror, pixel * 4,
                                            np.full(len(k), np.inf, np.float32))
            fresnel = 0.04 + 0.96 * (1 + np.clip(d[k, 2], -1, 0)) ** 4
            sheen = 0.18 * light.wet * np.clip(1 + 0.5 * rough, 0, 2)
            share = fresnel * np.maximum(water[k], sheen)
            colour[k] += (sky - colour[k]) * np.clip(share, 0, 1)[:, None]
        keep = np.exp(-light.haze * t)[:, None]
        return colour * keep + light.horizon * (1 - keep) * 0.8

    def _pole_shadow(self, pole, x, y):
        sun = self.light.sun
        flat = max(float(np.hypot(sun[0], sun[1])), 1e-3)
        ex, ey = sun[0] / flat, sun[1] / flat
        dx, dy = pole.x - x, pole.y - y
        ahead = dx * ex + dy * ey
        side = np.abs(dx * ey - dy * ex)
        reach = pole.height * flat / float(sun[2])
        soft = 0.01 + 0.012 * np.clip(ahead, 0, 4)
        edge = np.clip((side - pole.radius) / soft + 0.5, 0, 1)
        return np.where((ahead > -pole.radius) & (ahead < reach), edge, 1.0)
