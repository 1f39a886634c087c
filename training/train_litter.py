"""Trains the demo model from scratch on rendered street scenes.

    python3 train_litter.py windows --data DATA --out windows.pt
    python3 train_litter.py whole --data DATA --start windows.pt --out whole.pt
    python3 train_litter.py wide --data DATA --start whole.pt --out wide.pt
    python3 train_litter.py local --data DATA --start wide.pt --out local.pt --workers 3
    python3 train_litter.py both --data DATA --start local.pt --out both.pt --workers 3
    python3 train_litter.py final --data DATA --start both.pt --out final.pt --workers 3
    python3 train_litter.py things --data DATA --start final.pt --out things.pt
    python3 train_litter.py end --data DATA --start things.pt --out litter.pt

DATA holds folders of render_set.py: fresh0/ to fresh3/ and those that the stages name. Small
windows come first, whole pictures later, and both sizes the model is meant for last; `final` and
`things` start with windows again, as their learning rate falls from there. Two helper outputs learn
*where* the litter lies, for one bit a picture is little to learn from; they are dropped after
training. From `local` on a running mean of the weights counts, steadier than the weights.

One process a core, each with one thread and a share of every batch, gradients averaged once a
step: on four cores that was half as fast again as one process with four threads (measured once, on
a machine with other work), and it loses less when something else wants a core.
"""

import argparse
import copy
import os
import tempfile
import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import distributed, nn
from torch.nn import functional as F

from export_onnx import load_checkpoint, save_checkpoint
from mobilenet_v2 import HEAD, MobileNetV2, initialise
from street_data import JoinedSets, Phase


@dataclass(frozen=True)
class Stage:
    """Phases are (side lengths by turns, pictures, zoom range or None, weight of the helpers)."""

    phases: tuple
    peak: float  # learning rate
    horizon: int  # steps over which that rate would fall to nothing
    sets: tuple
    batch: int = 64
    keep: float = 0.0  # of the running mean of the weights, a step
    frozen: int = 0  # blocks, the stem with them, that stay as they are: half the time is theirs
    around: tuple = (0.6, 0.0)  # chance of a window around litter; else, around anything that lies


BASIC, WIDE = ("train",), ("wide0", "wide1")
DRAWN = tuple(f"drawn{k}" for k in range(60))
MORE = tuple(f"drawn{k}" for k in range(60, 106))
FRESH = tuple(f"fresh{k}" for k in range(4))
SOME = BASIC + WIDE + DRAWN[:12] + DRAWN[:12]
STAGES = {
    "windows": Stage((((96,), 44_928, (110, 220), 1.0),), 2e-3, 2562, BASIC),
    "whole": Stage((((96,), 38_000, (110, 220), 1.0), ((160,), 16_000, None, 0.4),
                    ((160, 224), 5_000, None, 0.2)), 1.5e-3, 921, BASIC),
    "wide": Stage((((96,), 24_000, (110, 220), 0.7), ((160, 224), 8_000, None, 0.3)), 1.2e-3, 500,
                  BASIC + WIDE + WIDE),
    "local": Stage((((96,), 504_000, (110, 220), 1.0),), 1.5e-3, 8500, SOME, 72, 0.998),
    "both": Stage((((160, 160, 160, 160, 224), 241_920, None, 0.4),), 1e-3, 3360, SOME, 72, 0.998,
                  frozen=3),
    "final": Stage((((128,), 259_200, (160, 260), 0.6), ((160, 224), 172_800, None, 0.3)), 1e-3,
                   6000, BASIC + WIDE + DRAWN, 72, 0.998, frozen=3),
    "things": Stage((((96,), 1_104_000, (130, 250), 1.0),), 1.5e-3, 19_200,
                    BASIC + WIDE + DRAWN + MORE, 96, 0.998, around=(0.4, 0.75)),
    "end": Stage((((160, 160, 224), 316_800, None, 0.5),), 6e-4, 3300, BASIC + WIDE + DRAWN + MORE,
                 96, 0.998, frozen=3),
}
DECAY, WARM_UP = 0.04, 0.04
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
        for p in filter(lambda p: p.requires_grad, module.parameters()):
            (decayed if p.ndim > 1 else free).append(p)
    return [{"params": decayed, "weight_decay": DECAY}, {"params": free, "weight_decay": 0.0}]


def litter_scores(model, source, indices, side):
    """Probability of litter for pictures of a set, squashed to `side`."""
    model.eval()
    out = []
    with torch.no_grad():
        for i in range(0, len(indices), 32):
            batch = source.batch(indices[i:i + 32], side)
            batch = batch.contiguous(memory_format=torch.channels_last)
            out.append(model(batch).softmax(1)[:, 1].numpy())
    model.train()
    return np.concatenate(out)


class Average:
    """A running mean of a model's weights and statistics: `model` holds it."""

    def __init__(self, model, keep):
        self.model, self.keep = copy.deepcopy(model), keep
        self.steps = 0

    def update(self, model):
        self.steps += 1
        keep = min(self.keep, self.steps / (self.steps + 10))
        with torch.no_grad():
            mine, theirs = self.model.state_dict(), model.state_dict()
            for name, value in mine.items():
                if value.is_floating_point():
                    value.lerp_(theirs[name], 1 - keep)
                else:
                    value.copy_(theirs[name])


class Team:
    """The processes that share a training; alone it does nothing."""

    def __init__(self, rank=0, size=1):
        self.rank, self.size = rank, size

    def mean(self, tensors):
        """Replaces each tensor by its mean over the team."""
        if self.size == 1:
            return
        flat = torch.cat([t.reshape(-1) for t in tensors])
        distributed.all_reduce(flat)
        flat /= self.size
        at = 0
        for t in tensors:
            t.copy_(flat[at:at + t.numel()].view_as(t))
            at += t.numel()

    def settle(self, model):
        """Makes normalisation statistics the same everywhere."""
        with torch.no_grad():
            self.mean([b for b in model.buffers() if b.is_floating_point()])


def train(model, source, stage, seed, check=None, log=print, team=Team()):
    """Runs a stage's phases; returns the mean losses of the first and the last tenth of the steps.

    `check` is called with the mean model eight times a phase, by every process of the team.
    """
    torch.manual_seed(seed)
    helper = Helper()
    model.to(memory_format=torch.channels_last).train()
    phases, peak, batch = stage.phases, stage.peak, stage.batch
    average = Average(model, stage.keep)
    for part in [model.stem, *model.blocks[:stage.frozen]] if stage.frozen else []:
        part.eval().requires_grad_(False)
    parameters = [p for p in [*model.parameters(), *helper.parameters()] if p.requires_grad]
    optimiser = torch.optim.AdamW(parameter_groups([model, helper]), peak)
    steps = [pictures // batch for _, pictures, _, _ in phases]
    step, history, start = 0, [], time.time()
    for number, ((sides, _, zoom, weight), count) in enumerate(zip(phases, steps)):
        data = Phase(source, sides, batch, count, seed * 100 + number, zoom, stage.around,
                     team.rank, team.size)
        right = seen = 0.0
        for i in range(count):
            x, y, sure, cells = data[i]
            for group in optimiser.param_groups:
                group["lr"] = peak * schedule(step, stage.horizon)
            tapped, deep = model.features(x.contiguous(memory_format=torch.channels_last))
            logits = model.classify(deep, 0.1)
            each = F.cross_entropy(logits, y, reduction="none", label_smoothing=0.02)
            loss = (each * sure).sum() / sure.sum().clamp(min=1.0)
            whole = loss + weight * helper.loss(tapped, deep, cells)
            optimiser.zero_grad(set_to_none=True)
            whole.backward()
            team.mean([p.grad for p in parameters])
            nn.utils.clip_grad_norm_(parameters, 5.0)
            optimiser.step()
            average.update(model)
            history.append(loss.item())
            right += float((((logits.argmax(1) == y).float() * sure).sum()))
            seen += float(sure.sum())
            step += 1
            if step % 50 == 0:
                pace = 50 * batch / (time.time() - start)
                start = time.time()
                log(f"phase {number} step {i + 1}/{count} loss {np.mean(history[-50:]):.3f} "
                    f"right {right / max(seen, 1):.3f} {pace:.0f} pictures/s")
                right = seen = 0.0
            if check and ((i + 1) % max(1, count // 8) == 0 or i + 1 == count):
                team.settle(average.model)
                check(average.model)
    tenth = max(1, len(history) // 10)
    return float(np.mean(history[:tenth])), float(np.mean(history[-tenth:]))


def _work(rank, args, meeting):
    """One process of the team."""
    team = Team(rank, args.workers)
    torch.set_num_threads(1)
    if team.size > 1:
        distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank,
                                       world_size=team.size)
    source = JoinedSets([f"{args.data}/{name}" for name in STAGES[args.stage].sets])
    held = JoinedSets([f"{args.data}/{name}" for name in FRESH])
    log = lambda line: print(line, flush=True) if rank == 0 else None

    def check(model):
        mine = range(rank, len(held), team.size)
        for side in (160, 224):
            scores = litter_scores(model, held, mine, side)
            right = torch.tensor([float(np.mean((scores > 0.5) == held.labels[mine]))])
            team.mean([right])
            log(f"  validation at {side}: {right.item():.4f}")
        if rank == 0:
            save_checkpoint(args.out, model, LABELS)

    model = initialise(MobileNetV2(len(LABELS)), args.seed)
    if args.start:
        model = load_checkpoint(args.start)[0]
    seed = args.seed + list(STAGES).index(args.stage)
    train(model, source, STAGES[args.stage], seed, check, log, team)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--data", required=True)
    parser.add_argument("--start", help="checkpoint to go on from")
    parser.add_argument("--out", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=4, help="processes")
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(_work, (args, f"{folder}/meeting"), args.workers)


if __name__ == "__main__":
    main()
