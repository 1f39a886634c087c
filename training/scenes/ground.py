"""The ground: strips of material along a street, and what is painted, grown or wet on it."""

from dataclasses import dataclass

import numpy as np

from .noise import smoothstep

SOFT = {"grass", "soil"}
KERB = "kerb"


@dataclass(frozen=True)
class Ground:
    edges: np.ndarray  # lateral borders between strips, metres
    kinds: tuple  # material names, one more than edges
    tiles: np.ndarray
    turn: np.ndarray  # rotation of each strip's texture, radians
    gain: np.ndarray
    heading: float
    bend: float  # metres of lateral drift per squared metre ahead
    marks: tuple  # (u, half width, dash length or 0, colour, wear)
    zebra: tuple  # () or (v0, v1, u0, u1)
    covers: tuple  # (u, v, radius, square, tone)
    leaf: tuple  # (tile or -1, threshold)
    flower: tuple
    puddle: float  # noise level above which water stands; 9 is dry
    dapple: tuple  # (kind, a, b): shade of trees or of a building
    phase: np.ndarray

    def street(self, x, y):
        """(u, v): across and along the street."""
        c, s = np.cos(self.heading), np.sin(self.heading)
        v = y * c - x * s
        return x * c + y * s + self.bend * v * v, v

    def soft_at(self, x, y):
        """Whether the point lies in grass or soil."""
        u, _ = self.street(x, y)
        return self.kinds[int(np.searchsorted(self.edges, u))] in SOFT

    def shade(self, atlas, light, x, y, t, d, pixel):
        """Albedo, direct-light visibility and water of ground points; arrays over n points."""
        u, v = self.street(x, y)
        wobble = atlas.macro(3, u, v, 3.0)
        raw = np.searchsorted(self.edges, u)
        soft = np.array([k in SOFT for k in self.kinds])
        strip = np.searchsorted(self.edges, u + 0.035 * wobble * soft[raw])
        foot = t * pixel / np.sqrt(np.maximum(-d[:, 2], 0.05))
        c, s = np.cos(self.turn)[strip], np.sin(self.turn)[strip]
        a = self.phase[0] + u * c + v * s
        b = self.phase[1] + v * c - u * s
        albedo, _ = atlas.sample(self.tiles[strip], a, b, foot)
        slow = atlas.macro(1, u + self.phase[0], v + self.phase[1])
        near = np.flatnonzero(foot < 0.006)
        fine = atlas.macro(3, a[near], b[near], 0.7) + 0.7 * atlas.macro(1, a[near], b[near], 0.15)
        albedo[near] *= (1 + 0.15 * np.clip(2 - foot[near] / 0.003, 0, 1) * fine)[:, None]
        albedo *= (self.gain[strip] * (1 + 0.12 * slow))[:, None]
        hard = ~soft[strip]
        self._kerb(albedo, u, v, strip)
        self._paint(atlas, albedo, u, v, hard, wobble)
        for tile, level in (self.flower, self.leaf):
            if tile >= 0:
                where = atlas.macro(0, u + self.phase[1], v - self.phase[0], 9.0) + 0.3 * wobble
                k = np.flatnonzero(where > level)
                if tile == self.flower[0]:
                    k = k[~hard[k]]
                if len(k):
                    texel, cover = atlas.sample(np.full(len(k), tile), a[k] * 0.9, b[k], foot[k])
                    albedo[k] += (texel - albedo[k]) * cover[:, None]
        water = np.zeros(len(u), np.float32)
        if self.puddle < 5:
            water = smoothstep(self.puddle, self.puddle + 0.25, slow + 0.12 * wobble) * hard
        return albedo, self.sunlit(atlas, x, y, u, v), water

    def _kerb(self, albedo, u, v, strip):
        """The face of a kerb is in shade, its stones are a metre long."""
        for i, kind in enumerate(self.kinds):
            if kind != KERB:
                continue
            lo, hi = self.edges[i - 1], self.edges[i]
            k = np.flatnonzero(strip == i)
            w = (u[k] - lo) / (hi - lo)
            face = np.where(w < 0.35, 0.55, 1.15)
            face = np.where(np.abs(v[k] - np.round(v[k])) < 0.008, 0.5, face)
            albedo[k] *= face[:, None].astype(np.float32)

    def _paint(self, atlas, albedo, u, v, hard, wobble):
        for at, half, dash, colour, wear in self.marks:
            inside = (np.abs(u - at) < half) & hard
            if dash:
                inside &= (v / dash) % 2 < 1
            self._wear(albedo, inside, colour, wobble, wear)
        if self.zebra:
            v0, v1, u0, u1 = self.zebra
            inside = (v > v0) & (v < v1) & (u > u0) & (u < u1) & (u % 1.0 < 0.5) & hard
            self._wear(albedo, inside, (0.62, 0.62, 0.6), wobble, 0.3)
        for cu, cv, r, square, tone in self.covers:
            du, dv = u - cu, v - cv
            far = np.maximum(np.abs(du), np.abs(dv)) if square else np.hypot(du, dv)
            k = np.flatnonzero((far < r) & hard)
            if len(k):
                if square:
                    pattern = np.where((du[k] / r * 5) % 1 < 0.45, 0.12, 1.0)
                else:
                    pattern = np.where(((du[k] / r * 5) % 1 < 0.3) ^ ((dv[k] / r * 5) % 1 < 0.3),
                                       0.7, 1.0)
                pattern = np.where(far[k] > 0.9 * r, 0.45, pattern)
                albedo[k] = (tone * pattern[:, None] * np.array([1, 0.95, 0.9])).astype(np.float32)

    @staticmethod
    def _wear(albedo, inside, colour, wobble, wear):
        k = np.flatnonzero(inside)
        if len(k):
            keep = (1 - wear * smoothstep(-0.3, 1.2, wobble[k]))[:, None]
            albedo[k] += (np.array(colour, np.float32) - albedo[k]) * keep * 0.9

    def sunlit(self, atlas, x, y, u, v):
        kind, a, b = self.dapple
        if kind == "trees":
            return smoothstep(a - 0.25, a + 0.25, atlas.macro(0, x + b, y - b, 5.0)
                              + 0.35 * atlas.macro(3, x - b, y + b, 4.0))
        if kind == "building":
            return smoothstep(-0.12, 0.12, (x - a) * np.cos(b) + (y - 2.5) * np.sin(b))
        if kind == "fence":
            w = x * np.cos(b) + y * np.sin(b)
            return smoothstep(0.2, 0.45, np.abs((w / a) % 1 - 0.5) * 2)
        return np.ones(len(x), np.float32)


def _strips(rng):
    """Materials and widths from left to right; the camera stands over the middle one."""
    hard = lambda: str(rng.choice(["slabs", "pavers", "cobbles", "asphalt"]))
    soft = lambda: str(rng.choice(["grass", "grass", "grass", "soil"]))
    walk = lambda: (hard(), rng.uniform(1.2, 2.6))
    road = lambda: (str(rng.choice(["asphalt", "asphalt", "cobbles"])), rng.uniform(3, 6.5))
    verge = lambda: (soft(), rng.uniform(0.8, 3.0))
    kerb = lambda: (KERB, rng.uniform(0.12, 0.2))
    plan = rng.choice(["street", "street", "verge", "park", "square", "lane"])
    if plan == "street":
        row = [verge(), walk(), kerb(), road(), kerb(), walk(), verge()]
    elif plan == "verge":
        row = [verge(), road(), verge(), walk(), verge()]
    elif plan == "park":
        path = (str(rng.choice(["gravel", "gravel", "slabs", "asphalt"])), rng.uniform(1, 2.5))
        row = [("grass", 4.0), path, ("grass", 4.0)]
    elif plan == "square":
        row = [walk(), (hard(), rng.uniform(2, 4)), walk(), walk()]
    else:
        row = [verge(), kerb(), road(), kerb(), verge()]
    if rng.random() < 0.5:
        row = row[::-1]
    return plan, row


def draw_ground(rng, atlas, light):
    """A street, its heading and everything that belongs on it."""
    plan, row = _strips(rng)
    widths = np.array([w for _, w in row])
    borders = np.concatenate([[0], np.cumsum(widths)])
    stand = rng.uniform(borders[0] + 0.6, borders[-1] - 0.6)
    borders = (borders - stand).astype(np.float32)
    heading = rng.normal(0, 0.35) if rng.random() < 0.8 else rng.uniform(-1.5, 1.5)
    pick = lambda kind: int(rng.choice(atlas.kinds[kind]))
    tiles = np.array([pick("slabs" if k == KERB else k) for k, _ in row])
    turn = np.where([k in ("pavers", "slabs") for k, _ in row],
                    rng.choice([0, np.pi / 4, np.pi / 2], len(row)), rng.uniform(0, 6.28, len(row)))
    marks, zebra, covers = [], (), []
    for i, (kind, width) in enumerate(row):
        if kind == "asphalt" and width > 2.6:
            white = (0.62, 0.62, 0.58) if rng.random() < 0.8 else (0.6, 0.42, 0.06)
            wear = rng.uniform(0.2, 1.0)
            if rng.random() < 0.6:
                marks.append((borders[i] + 0.25, 0.06, 0, white, wear))
            if rng.random() < 0.5:
                marks.append((borders[i + 1] - 0.25, 0.06, 0, white, wear))
            if rng.random() < 0.6:
                middle = (borders[i] + borders[i + 1]) / 2
                marks.append((middle, 0.06, rng.choice([0, 1.0, 2.5]), white, wear))
            if rng.random() < 0.15:
                v0 = rng.uniform(0.5, 4)
                zebra = (v0, v0 + 2.5, borders[i], borders[i + 1])
    for _ in range(rng.choice([0, 0, 1, 2])):
        covers.append((rng.uniform(-1.6, 1.6), rng.uniform(0.6, 4), rng.uniform(0.12, 0.33),
                       bool(rng.random() < 0.4), rng.uniform(0.03, 0.2)))
    overlay = lambda kind, p: (
        (pick(kind), rng.uniform(-1.5, 1.2)) if rng.random() < p else (-1, 9))
    dapple = ("none", 0.0, 0.0)
    if light.direct.mean() > 0.6 and rng.random() < 0.7:
        kind = str(rng.choice(["trees", "trees", "building", "fence"]))
        first = {"trees": rng.uniform(-0.8, 0.6), "building": rng.uniform(-1, 1),
                 "fence": rng.uniform(0.12, 0.5)}[kind]
        dapple = (kind, first, rng.uniform(0, 6.28))
    puddle = 9.0
    if light.wet > 0.2 and rng.random() < 0.7:
        puddle = rng.uniform(0.3, 1.5)
    ground = Ground(
        edges=borders[1:-1], kinds=tuple(k for k, _ in row), tiles=tiles,
        turn=turn.astype(np.float32), gain=rng.uniform(0.8, 1.2, len(row)).astype(np.float32),
        heading=heading, bend=rng.choice([0, 0, rng.normal(0, 0.02)]), marks=tuple(marks),
        zebra=zebra, covers=tuple(covers), leaf=overlay("leaves", 0.45),
        flower=overlay("petals", 0.4), puddle=puddle, dapple=dapple,
        phase=rng.uniform(0, 12, 2).astype(np.float32))
    return ground, float(borders[0]), float(borders[-1])
