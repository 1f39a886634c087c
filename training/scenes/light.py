"""Weather and light: where the sun stands, how strong sun and sky are, how wet the ground is."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Light:
    sun: np.ndarray  # unit vector towards the sun
    direct: np.ndarray  # linear RGB of sunlight
    ambient: np.ndarray  # linear RGB of skylight
    zenith: np.ndarray
    horizon: np.ndarray
    cloud: float  # 0 none .. 1 overcast
    wet: float  # 0 dry .. 1 rain
    haze: float  # per metre
    exposure: float
    rain: bool


def draw_light(rng):
    """Day, overcast, dusk or rain."""
    kind = rng.choice(["day", "day", "overcast", "overcast", "dusk", "rain"])
    azimuth = rng.uniform(0, 2 * np.pi)
    low, high = {"day": (22, 62), "overcast": (35, 65), "dusk": (9, 20), "rain": (40, 60)}[kind]
    e = np.radians(rng.uniform(low, high))
    sun = np.array([np.cos(azimuth) * np.cos(e), np.sin(azimuth) * np.cos(e), np.sin(e)])
    warm = rng.uniform(0, 1)
    zenith, horizon = np.array([0.16, 0.32, 0.62]), np.array([0.55, 0.68, 0.80])
    cloud, wet, haze = rng.uniform(0, 0.6), rng.choice([0.0, 0.0, 0.3]), 0.002
    if kind == "day":
        direct = np.array([1.0, 0.95 - 0.1 * warm, 0.86 - 0.2 * warm]) * rng.uniform(1.5, 2.3)
        ambient = np.array([0.42, 0.50, 0.60]) * rng.uniform(0.7, 1.1)
    elif kind == "overcast":
        direct = np.array([1.0, 0.98, 0.95]) * rng.uniform(0.1, 0.5)
        ambient = np.array([0.95, 1.0, 1.04]) * rng.uniform(0.7, 1.1)
        zenith, horizon = np.array([0.50, 0.54, 0.58]), np.array([0.74, 0.76, 0.78])
        cloud, wet = rng.uniform(0.6, 1), rng.choice([0.0, 0.3, 0.7])
    elif kind == "dusk":
        direct = np.array([1.0, 0.62 + 0.15 * warm, 0.34 + 0.15 * warm]) * rng.uniform(0.8, 1.6)
        ambient = np.array([0.36, 0.38, 0.52]) * rng.uniform(0.6, 1.0)
        zenith, horizon = np.array([0.13, 0.18, 0.36]), np.array([0.85, 0.50, 0.30])
    else:
        direct = np.array([1.0, 1.0, 1.0]) * rng.uniform(0.0, 0.1)
        ambient = np.array([0.78, 0.85, 0.92]) * rng.uniform(0.5, 0.9)
        zenith, horizon = np.array([0.34, 0.38, 0.42]), np.array([0.52, 0.56, 0.58])
        cloud, wet, haze = 1.0, rng.uniform(0.6, 1.0), rng.uniform(0.004, 0.02)
    f32 = np.float32
    exposure = rng.uniform(0.75, 1.35) / (0.55 * direct.mean() + ambient.mean())
    return Light(sun.astype(f32), direct.astype(f32), ambient.astype(f32), zenith.astype(f32),
                 horizon.astype(f32), cloud, wet, haze, exposure, kind == "rain")
