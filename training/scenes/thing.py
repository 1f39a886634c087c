"""A thing that can lie on the ground, whatever it is."""

from dataclasses import dataclass, field, replace

import numpy as np


@dataclass(frozen=True)
class Thing:
    name: str
    distance: object  # (x, y, z) -> metres, in the thing's frame
    paint: object  # (x, y, z) -> [n, 3] linear RGB
    reach: float  # radius of a ball round the origin that holds all of it, metres
    gloss: float = 0.05
    opacity: float = 1.0
    sink: float = 0.0  # how deep it sits in the ground, metres
    turn: np.ndarray = field(default_factory=lambda: np.eye(3))  # own frame to world

    def posed(self, rng, lying=False, tilt=0.06):
        """Turned about the vertical; `lying` lays its z axis down first."""
        a, b, c = rng.uniform(0, 6.28), rng.normal(0, tilt), rng.uniform(0, 6.28)
        spin = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
        b += np.pi / 2 if lying else 0.0
        lean = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
        yaw = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
        turn = yaw @ lean @ (spin if lying else np.eye(3))
        return replace(self, turn=turn.astype(np.float32))

    def scaled(self, k):
        d, p = self.distance, self.paint
        return replace(self, reach=self.reach * k, sink=self.sink * k,
                       distance=lambda x, y, z: d(x / k, y / k, z / k) * k,
                       paint=lambda x, y, z: p(x / k, y / k, z / k))

    def foot(self):
        """How far below its origin the thing reaches, found by marching up from underneath."""
        g = np.linspace(-0.9, 0.9, 11, dtype=np.float32) * self.reach
        x, y = (a.ravel() for a in np.meshgrid(g, g))
        z = np.full_like(x, -self.reach)
        for _ in range(14):
            p = np.stack([x, y, z], 1) @ self.turn
            d = self.distance(p[:, 0], p[:, 1], p[:, 2])
            z = np.minimum(z + np.maximum(d, 0), 2 * self.reach)
        z = z[d < 0.05 * self.reach]
        return float(-z.min()) if len(z) else self.reach * 0.5
