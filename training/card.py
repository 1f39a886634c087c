"""The card beside an ONNX file: what the runtime must know to feed it and to read its answer."""

from pathlib import Path

from PIL import Image


def fit(image, size, crop, fraction=0.875):
    """An image as the network takes it, size x size RGB, by an antialiased triangle filter.

    "squash" keeps all of the picture; "center" keeps the middle square of the short side times
    `fraction`, which is the same as resizing the short side to size / fraction and cropping.
    """
    image = image.convert("RGB")
    w, h = image.size
    box = None
    if crop == "center":
        side = min(w, h) * fraction
        box = ((w - side) / 2, (h - side) / 2, (w + side) / 2, (h + side) / 2)
    elif crop != "squash":
        raise ValueError(f"crop must be center or squash, not {crop}")
    return image.resize((size, size), Image.BILINEAR, box)


def write_card(path, name, description, labels, positive, threshold, size, crop="squash",
               tensor="image", output="logits", fraction=0.875):
    """Writes the TOML card of a network that takes RGB / 127.5 - 1."""
    quoted = ", ".join(f'"{label}"' for label in labels)
    Path(path).write_text(f'''name = "{name}"
description = "{description}"

[input]
tensor = "{tensor}"
size = {size}            # side of the square input, px
color = "rgb"
mean = [127.5, 127.5, 127.5]   # subtracted from 0..255 values
std = [127.5, 127.5, 127.5]
crop = "{crop}"       # "squash" keeps the whole picture, "center" its middle square
crop_fraction = {fraction} # only for center

[output]
tensor = "{output}"
kind = "logits"
labels = [{quoted}]
positive = "{positive}"
threshold = {threshold:.3f}
''')


def best_threshold(scores, truth):
    """The threshold in 0..1 with the highest balanced accuracy; the middle of equally good ones."""
    good = []
    for k in range(5, 96):
        t = k / 100
        hit = [s > t for s in scores]
        positives = [a for a, b in zip(hit, truth) if b]
        negatives = [not a for a, b in zip(hit, truth) if not b]
        value = 0.0
        for part in (positives, negatives):
            value += sum(part) / max(1, len(part)) / 2
        good.append((value, t))
    top = max(good)[0]
    level = [t for value, t in good if value > top - 1e-9]
    return level[len(level) // 2]
