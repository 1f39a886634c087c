"""Trains the demo model from scratch on rendered street scenes.

    python3 train_litter.py --data DATA --out litter.pt

DATA holds the folders train/ and val/ of render_set.py. Small windows come first, whole pictures
later, and both sizes the model is meant for last. Two helper outputs that say *where* the litter
lies make a net this deep learn from ten thousand pictures; they are dropped after training.
"""

import argparse
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from export_onnx import save_checkpoint
from mobilenet_v2 import HEAD, MobileNetV2, initialise
from street_data import Phase, RenderedSet

BATCH = 48
# (side lengths by turns, pictures, zoom range or None, weight of the helper outputs)
PHASES = (((96,), 90_000, (110, 220), 1.0), ((128,), 24_000, (128, 224), 0.7),
          ((160,), 44_000, None, 0.4), ((160, 224), 10_000, None, 0.2))
PEAK_RATE, DECAY, WARM_UP = 2e-3, 0.04, 0.04
LABELS = ("clean", "litter")


class Helper(nn.Module):
    """Litter or not, at every position of the maps with stride 16 and 32."""

    def __init__(self):
        super().__init__()
        self.fine, self.coarse = nn.Conv2d(96, 1, 1), nn.Conv2d(HEAD, 1, 1)

    def loss(self, tapped, deep, cells):
        fine = self._loss(self.fine(tapped), cells[:, None], 0.05)
        coarse = F.max_pool2d(cells[:, None], 2, ceil_mode=True)
        return fine + self._loss(self.coarse(deep), coarse, 0.05)

    @staticmethod
    def _loss(logits, share, threshold):
        """Cells that litter only grazes count neither way."""
        sure = ((share > threshold) | (share < 0.01)).float()
        target = (share > threshold).float()
        each = F.binary_cross_entropy_with_logits(logits, target, reduction="none",
                                                  pos_weight=torch.tensor(4.0))
        return (each * sure).sum() / sure.sum().clamp(min=1.0)


def schedule(step, total):
    """Linear warm-up, then half a cosine down to a hundredth."""
    warm = max(1, int(WARM_UP * total))
    if step < warm:
        return (step + 1) / warm
    return 0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * (step - warm) / max(1, total - warm)))


def parameter_groups(modules):
    """Weight decay on filters only, not on normalisation and biases."""
    decayed, free = [], []
    for module in modules:
        for p in module.parameters():
            (decayed if p.ndim > 1 else free).append(p)
    return [{"params": decayed, "weight_decay": DECAY}, {"params": free, "weight_decay": 0.0}]


def scores(model, source, side, limit=None):
    """Probability of litter for each picture of a set, squashed to `side`."""
    model.eval()
    out = []
    count = len(source) if limit is None else min(limit, len(source))
    with torch.no_grad():
        for i in range(0, count, 64):
            batch = source.batch(range(i, min(i + 64, count)), side)
            batch = batch.contiguous(memory_format=torch.channels_last)
            out.append(model(batch).softmax(1)[:, 1].numpy())
    model.train()
    return np.concatenate(out)


def train(model, source, phases, seed, validate=None, save=None, log=print, workers=1):
    """Runs the phases; returns the mean losses of the first and the last tenth of the steps."""
    torch.manual_seed(seed)
    helper = Helper()
    model.to(memory_format=torch.channels_last).train()
    groups = parameter_groups([model, helper])
    optimiser = torch.optim.AdamW(groups, PEAK_RATE)
    steps = [pictures // BATCH for _, pictures, _, _ in phases]
    total, step, history, start = sum(steps), 0, [], time.time()
    for number, ((sides, _, zoom, weight), count) in enumerate(zip(phases, steps)):
        data = Phase(source, sides, BATCH, count, seed * 100 + number, zoom)
        right = seen = 0.0
        for i, (x, y, sure, cells) in enumerate(DataLoader(data, None, num_workers=workers)):
            for group in optimiser.param_groups:
                group["lr"] = PEAK_RATE * schedule(step, total)
            tapped, deep = model.features(x.contiguous(memory_format=torch.channels_last))
            logits = model.classify(deep, 0.1)
            each = F.cross_entropy(logits, y, reduction="none", label_smoothing=0.02)
            loss = (each * sure).sum() / sure.sum().clamp(min=1.0)
            whole = loss + weight * helper.loss(tapped, deep, cells)
            optimiser.zero_grad(set_to_none=True)
            whole.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimiser.step()
            history.append(loss.item())
            right += float((((logits.argmax(1) == y).float() * sure).sum()))
            seen += float(sure.sum())
            step += 1
            if step % 50 == 0:
                pace = step * BATCH / (time.time() - start)
                log(f"phase {number} step {i + 1}/{count} loss {np.mean(history[-50:]):.3f} "
                    f"right {right / max(seen, 1):.3f} {pace:.0f} pictures/s "
                    f"{time.time() - start:.0f} s")
                right = seen = 0.0
            if step % 250 == 0 or i + 1 == count:
                if validate:
                    validate(model)
                if save:
                    save(model)
    tenth = max(1, len(history) // 10)
    return float(np.mean(history[:tenth])), float(np.mean(history[-tenth:]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--scale", type=float, default=1.0, help="times the pictures of each phase")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    source, held = RenderedSet(f"{args.data}/train"), RenderedSet(f"{args.data}/val")
    phases = [(s, int(n * args.scale), z, w) for s, n, z, w in PHASES]

    def validate(model):
        for side in (160, 224):
            p = scores(model, held, side, None if side == 160 else 200)
            right = np.mean((p > 0.5) == held.labels[:len(p)])
            print(f"  validation at {side}: {right:.4f}", flush=True)

    model = initialise(MobileNetV2(len(LABELS)), args.seed)
    train(model, source, phases, args.seed, validate,
          lambda m: save_checkpoint(args.out, m, LABELS), lambda s: print(s, flush=True))


if __name__ == "__main__":
    main()
