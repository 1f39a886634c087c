"""MobileNetV2 1.0 (Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018).

A stem, seventeen inverted residual blocks, a 1x1 head, the mean over all positions and one linear
layer. Fully convolutional up to the mean, so any input side that is a multiple of 32 works.
"""

import torch
from torch import nn
from torch.nn import functional as F

# (expansion, channels, repeats, first stride): table 2 of the paper.
ROWS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
        (6, 320, 1, 1))
STEM, HEAD = 32, 1280


class Unit(nn.Module):
    """Convolution, batch normalisation and, unless linear, ReLU6.

    `lean` pads stride-2 convolutions at the right and bottom only, as the published ImageNet
    weights expect; otherwise padding is the same all round.
    """

    def __init__(self, c_in, c_out, kernel=1, stride=1, groups=1, linear=False, lean=False):
        super().__init__()
        low = (kernel - 1) // 2
        self.lean = lean and stride == 2
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride, 0 if self.lean else low, groups=groups,
                              bias=False)
        self.norm = nn.BatchNorm2d(c_out, momentum=0.05)
        self.linear = linear

    def pads(self):
        """ONNX order: top, left, bottom, right."""
        return (0, 0, 1, 1) if self.lean else (self.conv.padding[0],) * 4

    def folded(self):
        """(weight, bias) of the convolution that equals this one and its normalisation."""
        scale = self.norm.weight / torch.sqrt(self.norm.running_var + self.norm.eps)
        weight = self.conv.weight * scale[:, None, None, None]
        return weight.detach(), (self.norm.bias - self.norm.running_mean * scale).detach()

    def load_folded(self, weight, bias):
        """Takes a convolution with bias; normalisation becomes the identity plus that bias."""
        with torch.no_grad():
            self.conv.weight.copy_(weight)
            self.norm.running_mean.zero_()
            self.norm.running_var.fill_(1.0 - self.norm.eps)
            self.norm.weight.fill_(1.0)
            self.norm.bias.copy_(bias)

    def forward(self, x):
        if self.lean:
            x = F.pad(x, (0, 1, 0, 1))
        x = self.norm(self.conv(x))
        return x if self.linear else F.relu6(x, inplace=True)


class Block(nn.Module):
    """Inverted residual: expand, filter each channel, project; add the input where shapes allow."""

    def __init__(self, c_in, c_out, stride, expansion, lean):
        super().__init__()
        wide = c_in * expansion
        self.expand = Unit(c_in, wide) if expansion != 1 else None
        self.depthwise = Unit(wide, wide, 3, stride, wide, lean=lean)
        self.project = Unit(wide, c_out, linear=True)
        self.residual = stride == 1 and c_in == c_out

    def units(self):
        """(name, unit) in order."""
        named = (("expand", self.expand), ("depthwise", self.depthwise), ("project", self.project))
        return [(name, unit) for name, unit in named if unit is not None]

    def forward(self, x):
        y = x
        for _, unit in self.units():
            y = unit(y)
        return x + y if self.residual else y


class MobileNetV2(nn.Module):
    def __init__(self, classes, lean=False):
        super().__init__()
        self.stem = Unit(3, STEM, 3, 2, lean=lean)
        blocks, c_in = [], STEM
        for expansion, c_out, repeats, stride in ROWS:
            for i in range(repeats):
                blocks.append(Block(c_in, c_out, stride if i == 0 else 1, expansion, lean))
                c_in = c_out
        self.blocks = nn.ModuleList(blocks)
        self.head = Unit(c_in, HEAD)
        self.classifier = nn.Linear(HEAD, classes)

    def units(self):
        """(name, unit) of every convolution from input to output."""
        named = [("stem", self.stem)]
        for i, block in enumerate(self.blocks, 1):
            named += [(f"block{i}/{part}", unit) for part, unit in block.units()]
        return named + [("head", self.head)]

    def features(self, x, tap=13):
        """(block `tap`'s output, the head's output): maps with a stride of 16 and of 32."""
        x = self.stem(x)
        tapped = None
        for i, block in enumerate(self.blocks, 1):
            x = block(x)
            tapped = x if i == tap else tapped
        return tapped, self.head(x)

    def classify(self, feature_map, dropout=0.0):
        pooled = feature_map.mean((2, 3))
        return self.classifier(F.dropout(pooled, dropout, self.training and dropout > 0))

    def forward(self, x):
        return self.classify(self.features(x)[1])


def initialise(model, seed):
    """He-normal convolutions, a small classifier; the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Conv2d):
                fan_out = module.weight.shape[0] * module.weight[0, 0].numel() / module.groups
                module.weight.normal_(0, (2.0 / fan_out) ** 0.5, generator=generator)
                if module.bias is not None:
                    module.bias.zero_()
            elif isinstance(module, nn.Linear):
                module.weight.normal_(0, 0.01, generator=generator)
                module.bias.zero_()
    return model
