"""From linear light to a photograph: exposure, lens, sensor and JPEG."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFilter


def develop(rng, canvas, light, size, moment=None):
    """The canvas as an 8-bit PIL image of `size` (width, height), seen through a mediocre camera.

    Everything is drawn from `rng` in a fixed order, so that a scene and its twin without litter
    get the same lens, noise and compression. `moment`: a seed for noise and rain alone, which
    pictures of one camera do not share.
    """
    gain = light.exposure * rng.uniform(0.75, 1.35)
    balance = np.exp(rng.normal(0, 0.05, 3)).astype(np.float32)
    contrast = rng.uniform(0.85, 1.25)
    lift = rng.uniform(0.0, 0.03)
    vignette = rng.uniform(0.0, 0.35)
    blur = rng.choice([0.0, 0.0, 0.25, 0.5, 0.8]) * rng.uniform(0.6, 1.2)
    motion = rng.choice([0, 0, 0, 1]) * rng.uniform(0.004, 0.010)
    direction = rng.uniform(0, 3.14)
    grain = rng.choice([1.0, 2.0, 4.0, 7.0])
    quality = int(rng.integers(45, 96))
    drops = int(rng.uniform(30, 160))
    noise_seed = int(rng.integers(1 << 31))
    if moment is not None:
        noise_seed = moment

    w, h = canvas.width, canvas.height
    tone = 1 - np.exp(-1.9 * gain * canvas.colour * balance)
    tone = np.sqrt(np.maximum(tone, 0))
    tone = lift + (1 - lift) * np.clip(0.5 + (tone - 0.5) * contrast, 0, 1)
    tone = tone.reshape(h, w, 3)
    yy, xx = np.ogrid[-1:1:h * 1j, -1:1:w * 1j]
    tone *= (1 - vignette * (xx * xx + yy * yy) / 2)[..., None].astype(np.float32)
    image = Image.fromarray((tone * 255 + 0.5).astype(np.uint8))
    image = image.resize(size, Image.BOX)
    noise = np.random.default_rng(noise_seed)
    if light.rain:
        image = _streaks(noise, image, drops)
    scale = size[0] / 288
    if blur > 0.1:
        image = image.filter(ImageFilter.GaussianBlur(blur * scale))
    pixels = np.asarray(image, np.float32)
    if motion:
        pixels = _smear(pixels, motion * size[0], direction)
    field = noise.standard_normal((*pixels.shape[:2], 1), np.float32) * 0.8
    field = field + noise.standard_normal(pixels.shape, np.float32) * 0.5
    pixels = pixels + grain * field * (1.2 - pixels / 400)
    image = Image.fromarray(np.clip(pixels + 0.5, 0, 255).astype(np.uint8))
    return image, quality


def compress(image, quality):
    """The image after a JPEG round trip."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer).convert("RGB"))


def _streaks(rng, image, count):
    layer = Image.new("L", image.size, 0)
    draw = ImageDraw.Draw(layer)
    w, h = image.size
    slant = rng.normal(0, 0.15)
    for x, y, n in rng.random((count, 3)):
        length = (0.03 + 0.08 * n) * h
        draw.line((x * w, y * h, x * w + slant * length, y * h + length), int(25 + 40 * n), 1)
    layer = layer.filter(ImageFilter.GaussianBlur(w / 500))
    return Image.composite(Image.new("RGB", image.size, (215, 220, 225)), image, layer)


def _smear(pixels, length, direction):
    """Motion blur as the mean of a few shifted copies."""
    count = max(2, int(np.ceil(length)))
    out = np.zeros_like(pixels)
    for s in np.linspace(-0.5, 0.5, count):
        dx = int(round(s * length * np.cos(direction)))
        dy = int(round(s * length * np.sin(direction)))
        out += np.roll(pixels, (dy, dx), (0, 1))
    return out / count
