"""Puts a Thing into a picture: sphere tracing in a small window, with shading and shadows."""

import numpy as np

from .noise import smoothstep

STEPS = 34


def _window(points, width, height, margin):
    xs, ys = np.array(points)[:, 0], np.array(points)[:, 1]
    x0, x1 = int(max(xs.min() - margin, 0)), int(min(xs.max() + margin + 1, width))
    y0, y1 = int(max(ys.min() - margin, 0)), int(min(ys.max() + margin + 1, height))
    return (x0, x1, y0, y1) if x0 < x1 and y0 < y1 else None


def _trace(thing, origin, d, pixel):
    """Distances along unit rays d [n, 3] (own frame) to the surface; inf where they miss."""
    b = d @ origin
    inside = b * b - (origin @ origin - thing.reach**2)
    out = np.full(len(d), np.inf, np.float32)
    k = np.flatnonzero(inside > 0)
    if not len(k):
        return out
    root = np.sqrt(inside[k])
    t, end = np.maximum(-b[k] - root, 0.01), -b[k] + root
    ray = d[k]
    for step in range(STEPS):
        p = origin + ray * t[:, None]
        dist = thing.distance(p[:, 0], p[:, 1], p[:, 2])
        done = dist < np.maximum(pixel * t * 0.35, 2e-4)
        out[k[done]] = t[done]
        t = np.minimum(t + dist, end + 1)
        live = ~done & (t < end)
        if step % 4 == 3 or live.sum() < 0.7 * len(live):
            k, t, end, ray = k[live], t[live], end[live], ray[live]
            if not len(k):
                break
        else:
            t = np.where(live, t, end + 1)
    return out


def _normals(thing, p, eps):
    n = np.zeros_like(p)
    for s in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)):
        q = p + np.array(s, np.float32) * eps
        n += np.array(s, np.float32) * thing.distance(q[:, 0], q[:, 1], q[:, 2])[:, None]
    return n / (np.sqrt((n * n).sum(1, keepdims=True)) + 1e-9)


def put(stage, canvas, thing, x, y):
    """Draws the thing at ground point (x, y); returns the canvas indices it covers."""
    camera = stage.camera
    centre = np.array([x, y, thing.foot() - thing.sink], np.float32)
    px, py, depth = camera.project(centre, canvas.width, canvas.height)
    if depth < 0.25:
        return np.empty(0, int)
    margin = thing.reach * canvas.width / 2 / camera.tan_half / max(depth - thing.reach, 0.15) + 2
    _shadow(stage, canvas, thing, centre, margin)
    window = _window([(px, py)], canvas.width, canvas.height, margin)
    if window is None:
        return np.empty(0, int)
    x0, x1, y0, y1 = window
    d = camera.rays(x0, x1, y0, y1, canvas.width, canvas.height).reshape(-1, 3)
    origin = (np.array([0, 0, camera.height], np.float32) - centre) @ thing.turn
    t = _trace(thing, origin, d @ thing.turn, canvas.pixel)
    index = (np.arange(y0, y1)[:, None] * canvas.width + np.arange(x0, x1)).ravel()
    k = np.flatnonzero(t < canvas.depth[index])
    if not len(k):
        return k
    index, t, d = index[k], t[k], d[k]
    spot = d * t[:, None] + np.array([0, 0, camera.height], np.float32)
    seen = ~_hidden(stage, spot)
    index, t, d, spot = index[seen], t[seen], d[seen], spot[seen]
    if not len(index):
        return index
    colour = _shade(stage, canvas, thing, centre, spot, d, t)
    edge = thing.opacity
    canvas.colour[index] += (colour - canvas.colour[index]) * edge
    canvas.depth[index] = t
    return index


def _hidden(stage, spot):
    """Blades of grass in front of what lies in it, and single leaves on top."""
    atlas = stage.atlas
    hidden = np.zeros(len(spot), bool)
    if stage.soft_under is not None and stage.soft_under > 0:
        blade = atlas.macro(3, spot[:, 0] + 0.3 * spot[:, 2], spot[:, 1] * 0.15, 1.6)
        hidden |= blade * 0.5 + 0.1 > spot[:, 2] / stage.soft_under - 0.35
    if stage.ground.leaf[0] >= 0:
        hidden |= atlas.macro(0, spot[:, 0] * 3, spot[:, 1] * 3, 1.9) > 2.0
    return hidden


def _shade(stage, canvas, thing, centre, spot, d, t):
    light = stage.light
    own = (spot - centre) @ thing.turn
    normal = _normals(thing, own, np.maximum(canvas.pixel * t[:, None] * 0.5, 4e-4))
    normal = normal @ thing.turn.T
    albedo = np.asarray(thing.paint(own[:, 0], own[:, 1], own[:, 2]), np.float32)
    worn = stage.atlas.macro(3, own[:, 0] + 0.7 * own[:, 2], own[:, 1] - 0.6 * own[:, 2], 0.35)
    albedo = albedo * np.clip(1 + 0.10 * worn, 0.3, 2)[:, None]
    dirt = 0.35 * smoothstep(0.03, 0.0, spot[:, 2]) * np.clip(0.6 + 0.5 * worn, 0, 1)
    albedo += (np.array([0.10, 0.08, 0.06], np.float32) - albedo) * dirt[:, None]
    sunlit = stage.sunlit_at(centre)
    facing = np.clip(normal @ light.sun, 0, 1) * sunlit
    up = 0.5 + 0.5 * normal[:, 2]
    near_ground = 0.55 + 0.45 * smoothstep(0.0, 0.06, spot[:, 2])
    sky = (0.3 + 0.7 * up) * near_ground
    colour = albedo * (light.ambient * sky[:, None] + light.direct * facing[:, None])
    bounce = np.clip(-(normal * d).sum(1), 0, 1)
    gloss = min(1.0, thing.gloss + 0.35 * light.wet)
    half = light.sun - d
    half /= np.sqrt((half * half).sum(1, keepdims=True)) + 1e-6
    spark = np.clip((normal * half).sum(1), 0, 1) ** 60 * sunlit * 1.5
    rim = (0.03 + 0.5 * (1 - bounce) ** 4) * np.clip(normal[:, 2] + 0.3, 0, 1)
    colour += gloss * (spark[:, None] * light.direct + rim[:, None] * light.ambient * 0.8)
    return colour


def _shadow(stage, canvas, thing, centre, margin):
    """Cast and contact shadow on the ground under and beside the thing."""
    camera, light = stage.camera, stage.light
    flat = np.hypot(light.sun[0], light.sun[1])
    away = min(float(centre[2] + thing.reach) * flat / float(light.sun[2]), 5 * thing.reach)
    tip = centre - light.sun / flat * away
    spots = [camera.project((p[0], p[1], 0.0), canvas.width, canvas.height)[:2]
             for p in (centre, tip)]
    window = _window(spots, canvas.width, canvas.height, margin * 1.25)
    if window is None:
        return
    x0, x1, y0, y1 = window
    d = camera.rays(x0, x1, y0, y1, canvas.width, canvas.height).reshape(-1, 3)
    index = (np.arange(y0, y1)[:, None] * canvas.width + np.arange(x0, x1)).ravel()
    t = np.where(d[:, 2] < -0.015, -camera.height / np.minimum(d[:, 2], -0.015), 1e6)
    k = np.flatnonzero((t < 50) & (np.abs(t - canvas.depth[index]) < 1e-3 * t))
    if not len(k):
        return
    spot = d[k] * t[k][:, None]
    spot[:, 2] = 0.0
    own = (spot - centre) @ thing.turn
    sun = light.sun @ thing.turn
    b = own @ sun
    gap = np.sqrt(np.maximum((own * own).sum(1) - b * b, 0))
    j = np.flatnonzero((gap < thing.reach) & (b < thing.reach))
    visible = np.ones(len(k), np.float32)
    start = np.maximum(-b[j] - np.sqrt(np.maximum(thing.reach**2 - gap[j] ** 2, 0)), 0.002)
    walk, open_ = start, np.ones(len(j), np.float32)
    if light.direct.mean() > 0.25 and len(j):
        for _ in range(12):
            p = own[j] + sun * walk[:, None]
            dist = thing.distance(p[:, 0], p[:, 1], p[:, 2])
            open_ = np.minimum(open_, np.clip(14 * dist / np.maximum(walk, 0.01) + 0.1, 0, 1))
            walk = np.minimum(walk + np.maximum(dist, 0.004), 20 * thing.reach)
        visible[j] = open_
    gap = np.full(len(k), 9.0, np.float32)
    j = np.flatnonzero((own * own).sum(1) < (1.6 * thing.reach) ** 2)
    gap[j] = thing.distance(own[j, 0], own[j, 1], own[j, 2])
    contact = 0.30 + 0.70 * smoothstep(-0.02, 0.45, gap / thing.reach)
    sunlit = stage.sunlit_at(centre)
    full = light.ambient + light.direct * (light.sun[2] * sunlit)
    solid = 0.4 + 0.6 * thing.opacity
    lit = light.ambient * (1 - solid * (1 - contact))[:, None]
    lit = lit + light.direct * (light.sun[2] * sunlit * (1 - solid * (1 - visible)))[:, None]
    canvas.colour[index[k]] *= lit / full
