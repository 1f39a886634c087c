"""The camera: a pinhole above flat ground at z = 0, looking along +y; x is to the right, metres."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Camera:
    height: float  # metres above the ground
    pitch: float  # radians, negative looks down
    roll: float  # radians
    tan_half: float  # tangent of half the horizontal field of view

    def axes(self):
        """(right, up, forward) as rows."""
        cp, sp = np.cos(self.pitch), np.sin(self.pitch)
        forward = np.array([0.0, cp, sp])
        up = np.array([0.0, -sp, cp])
        right = np.array([1.0, 0.0, 0.0])
        c, s = np.cos(self.roll), np.sin(self.roll)
        return np.stack([c * right + s * up, c * up - s * right, forward])

    def rays(self, x0, x1, y0, y1, width, height):
        """Unit directions, [rows, columns, 3], of a window of pixels of a width x height view."""
        xs = ((np.arange(x0, x1) + 0.5) / width * 2 - 1) * self.tan_half
        ys = (1 - (np.arange(y0, y1) + 0.5) / height * 2) * self.tan_half * height / width
        right, up, forward = self.axes().astype(np.float32)
        d = (xs[None, :, None] * right + ys[:, None, None] * up + forward).astype(np.float32)
        return d / np.sqrt((d * d).sum(-1, keepdims=True))

    def project(self, point, width, height):
        """Pixel (x, y) and depth of a world point."""
        right, up, forward = self.axes()
        p = np.asarray(point) - (0.0, 0.0, self.height)
        depth = max(float(p @ forward), 1e-3)
        f = width / 2 / self.tan_half
        return width / 2 + f * (p @ right) / depth, height / 2 - f * (p @ up) / depth, depth

    def ground_at(self, x, y, aspect):
        """The ground point seen at (x, y) in 0..1 of the picture, or None above the horizon."""
        right, up, forward = self.axes()
        d = ((x * 2 - 1) * right + (1 - y * 2) / aspect * up) * self.tan_half + forward
        if d[2] > -0.02:
            return None
        t = -self.height / d[2]
        return np.array([d[0] * t, d[1] * t])


def draw_camera(rng):
    """A photographer's or a vehicle's camera: mostly tilted towards the ground ahead."""
    half = np.radians(rng.uniform(19, 33))
    pitch = -np.radians(rng.uniform(12, 52))
    return Camera(rng.uniform(0.6, 1.6), pitch, np.radians(rng.normal(0, 2.0)), np.tan(half))
