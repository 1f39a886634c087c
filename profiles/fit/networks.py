"""Layer tables of the networks in ncnn's benchmark, written from their papers.

Each network is a list of layers, each layer a tuple of features in the order of FEATURES. The same
features are taken from an ONNX graph in src/profile/layer.cc, so that what is fitted here applies there.
"""

# Unit of each feature; a fitted coefficient is milliseconds per unit.
FEATURES = (
    "winograd",   # 10^9 MAdds of 3x3 convolutions of stride 1 over all channels
    "dense",      # 10^9 MAdds of other convolutions over all channels or in groups
    "pointwise",  # 10^9 MAdds of 1x1 convolutions
    "depthwise",  # 10^9 MAdds of convolutions of one channel each
    "weights",    # 10^6 bytes of weights of fully connected layers
    "memory",     # 10^6 bytes of activations read and written, every layer
    "layers",     # 1 for each layer that is not fused into the one before it
)


class Net:
    """Builds one network, tracking the shape of the running tensor (channels, height, width)."""

    def __init__(self, channels, size):
        self.c, self.h, self.w = channels, size, size
        self.rows = []

    def _row(self, kind, madds, elements, weights=0):
        row = [0.0] * len(FEATURES)
        if kind is not None:
            row[FEATURES.index(kind)] = madds / 1e9
        row[FEATURES.index("weights")] = weights * 4 / 1e6
        row[FEATURES.index("memory")] = elements * 4 / 1e6
        row[FEATURES.index("layers")] = 1.0
        self.rows.append(tuple(row))

    def elements(self):
        return self.c * self.h * self.w

    def conv(self, out, k=1, s=1, groups=1, valid=False):
        before = self.elements()
        if valid:
            h, w = (self.h - k) // s + 1, (self.w - k) // s + 1
        else:
            h, w = -(-self.h // s), -(-self.w // s)
        madds = out * h * w * (self.c // groups) * k * k
        if groups == self.c and groups == out:
            kind = "depthwise"
        elif k == 1:
            kind = "pointwise"
        elif k == 3 and s == 1 and groups == 1:
            kind = "winograd"
        else:
            kind = "dense"
        self.c, self.h, self.w = out, h, w
        self._row(kind, madds, before + self.elements())
        return self

    def dw(self, k=3, s=1):
        return self.conv(self.c, k, s, groups=self.c)

    def pool(self, s=2, k=3):
        before = self.elements()
        self.h, self.w = -(-self.h // s), -(-self.w // s)
        self._row(None, 0, before + self.elements())
        return self

    def global_pool(self):
        before = self.elements()
        self.h = self.w = 1
        self._row(None, 0, before + self.elements())
        return self

    def fc(self, out):
        inputs = self.elements()
        self.c, self.h, self.w = out, 1, 1
        self._row(None, 0, inputs + out, weights=inputs * out)
        return self

    def add(self):
        self._row(None, 0, 3 * self.elements())
        return self

    def move(self, channels=None):
        """Concatenation, shuffle, slice: reads and writes everything once."""
        if channels is not None:
            self.c = channels
        self._row(None, 0, 2 * self.elements())
        return self

    def squeeze_excite(self, hidden):
        """Global pool, two 1x1 convolutions on one pixel, one multiplication."""
        c, h, w = self.c, self.h, self.w
        self.global_pool().conv(hidden).conv(c)
        self.c, self.h, self.w = c, h, w
        self._row(None, 0, 2 * self.elements())
        return self

    def branch(self):
        """A net that starts from this one's tensor and adds its layers to the same list."""
        other = Net(self.c, 1)
        other.h, other.w, other.rows = self.h, self.w, self.rows
        return other


def inverted_residual(net, out, expand, k=3, s=1, se=0, hidden=None):
    same = s == 1 and net.c == out
    hidden = hidden or net.c * expand
    if hidden != net.c:
        net.conv(hidden)
    net.dw(k, s)
    if se:
        net.squeeze_excite(se)
    net.conv(out)
    if same:
        net.add()


def squeezenet():
    net = Net(3, 227).conv(64, 3, 2, valid=True).pool()
    for i, (squeeze, expand) in enumerate(((16, 64), (16, 64), (32, 128), (32, 128), (48, 192),
                                           (48, 192), (64, 256), (64, 256))):
        net.conv(squeeze)
        one = net.branch().conv(expand)
        net.conv(expand, 3)
        net.move(2 * expand)
        del one
        if i in (1, 3):
            net.pool()
    return net.conv(1000).global_pool()


def mobilenet_v1(net):
    net.conv(32, 3, 2)
    for out, s in ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1),
                   (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1)):
        net.dw(3, s).conv(out)
    return net


def mobilenet():
    return mobilenet_v1(Net(3, 224)).global_pool().fc(1000)


def mobilenet_v2():
    net = Net(3, 224).conv(32, 3, 2)
    for t, c, n, s in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                       (6, 160, 3, 2), (6, 320, 1, 1)):
        for i in range(n):
            inverted_residual(net, c, t, s=s if i == 0 else 1)
    return net.conv(1280).global_pool().fc(1000)


def mobilenet_v3():
    net = Net(3, 224).conv(16, 3, 2)
    for k, hidden, out, se, s in (
            (3, 16, 16, 0, 1), (3, 64, 24, 0, 2), (3, 72, 24, 0, 1), (5, 72, 40, 24, 2),
            (5, 120, 40, 32, 1), (5, 120, 40, 32, 1), (3, 240, 80, 0, 2), (3, 200, 80, 0, 1),
            (3, 184, 80, 0, 1), (3, 184, 80, 0, 1), (3, 480, 112, 120, 1), (3, 672, 112, 168, 1),
            (5, 672, 160, 168, 2), (5, 960, 160, 240, 1), (5, 960, 160, 240, 1)):
        inverted_residual(net, out, 1, k, s, se, hidden)
    return net.conv(960).global_pool().conv(1280).fc(1000)


def shufflenet():
    """Version 1, 1x, three groups."""
    net = Net(3, 224).conv(24, 3, 2).pool()
    for stage, (out, n) in enumerate(((240, 4), (480, 8), (960, 4))):
        for i in range(n):
            s = 2 if i == 0 else 1
            first = stage == 0 and i == 0
            before = net.c
            net.conv(out // 4, 1, 1, groups=1 if first else 3).move().dw(3, s)
            net.conv(out - before if s == 2 else out, 1, 1, groups=3)
            if s == 2:
                net.pool(1).move(out)
            else:
                net.add()
    return net.global_pool().fc(1000)


def shufflenet_v2_stages(net):
    for out, n in ((116, 4), (232, 8), (464, 4)):
        for i in range(n):
            half = out // 2
            if i == 0:
                side = net.branch()
                side.dw(3, 2).conv(half)
                net.conv(half).dw(3, 2).conv(half).move(out).move()
            else:
                net.move()
                net.c = half
                net.conv(half).dw().conv(half).move(out).move()
    return net


def shufflenet_v2():
    net = shufflenet_v2_stages(Net(3, 224).conv(24, 3, 2).pool())
    return net.conv(1024).global_pool().fc(1000)


def mnasnet():
    net = Net(3, 224).conv(32, 3, 2).dw().conv(16)
    for k, t, c, n, s in ((3, 3, 24, 3, 2), (5, 3, 40, 3, 2), (5, 6, 80, 3, 2), (3, 6, 96, 2, 1),
                          (5, 6, 192, 4, 2), (3, 6, 320, 1, 1)):
        for i in range(n):
            inverted_residual(net, c, t, k, s if i == 0 else 1)
    return net.conv(1280).global_pool().fc(1000)


def proxylessnasnet():
    """The network found for mobile CPUs."""
    net = Net(3, 224).conv(32, 3, 2).dw().conv(16)
    for k, t, c, s in ((5, 3, 32, 2), (3, 3, 32, 1), (7, 3, 40, 2), (3, 3, 40, 1), (5, 3, 40, 1),
                       (5, 3, 40, 1), (7, 6, 80, 2), (5, 3, 80, 1), (5, 3, 80, 1), (5, 3, 80, 1),
                       (5, 6, 96, 1), (5, 3, 96, 1), (5, 3, 96, 1), (5, 3, 96, 1), (7, 6, 192, 2),
                       (7, 6, 192, 1), (7, 3, 192, 1), (7, 3, 192, 1), (7, 6, 320, 1)):
        inverted_residual(net, c, t, k, s)
    return net.conv(1280).global_pool().fc(1000)


def efficientnet_b0():
    net = Net(3, 224).conv(32, 3, 2)
    for t, c, n, s, k in ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3),
                          (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3)):
        for i in range(n):
            inverted_residual(net, c, t, k, s if i == 0 else 1, se=max(1, net.c // 4))
    return net.conv(1280).global_pool().fc(1000)


def efficientnetv2_b0():
    net = Net(3, 224).conv(32, 3, 2)
    for t, c, n, s in ((1, 16, 1, 1), (4, 32, 2, 2), (4, 48, 2, 2)):  # fused: 3x3 expands
        for i in range(n):
            stride = s if i == 0 else 1
            same = stride == 1 and net.c == c
            if t == 1:
                net.conv(c, 3, stride)
            else:
                net.conv(net.c * t, 3, stride).conv(c)
            if same:
                net.add()
    for t, c, n, s in ((4, 96, 3, 2), (6, 112, 5, 1), (6, 192, 8, 2)):
        for i in range(n):
            inverted_residual(net, c, t, 3, s if i == 0 else 1, se=max(1, net.c // 4))
    return net.conv(1280).global_pool().fc(1000)


def regnety_400m():
    net = Net(3, 224).conv(32, 3, 2)
    for c, n in ((48, 1), (104, 3), (208, 6), (440, 6)):
        for i in range(n):
            s = 2 if i == 0 else 1
            before = net.c
            if s == 2 or before != c:
                net.branch().conv(c, 1, s)
            net.conv(c).conv(c, 3, s, groups=c // 8).squeeze_excite(max(1, before // 4)).conv(c)
            net.add()
    return net.global_pool().fc(1000)


def blazeface():
    net = Net(3, 128).conv(24, 5, 2)

    def single(out, s=1):
        net.dw(5, s).conv(out).add()

    def double(out, s=1):
        net.dw(5, s).conv(24).dw(5).conv(out).add()

    single(24), single(24), single(48, 2), single(48), single(48)
    double(96, 2), double(96), double(96)
    fine = net.branch()
    double(96, 2), double(96), double(96)
    for head, anchors in ((fine, 2), (net, 6)):
        head.branch().conv(anchors)
        head.branch().conv(16 * anchors)
    return net


def googlenet():
    net = Net(3, 224).conv(64, 7, 2).pool().conv(64).conv(192, 3).pool()
    blocks = ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64), None,
              (192, 96, 208, 16, 48, 64), (160, 112, 224, 24, 64, 64),
              (128, 128, 256, 24, 64, 64), (112, 144, 288, 32, 64, 64),
              (256, 160, 320, 32, 128, 128), None, (256, 160, 320, 32, 128, 128),
              (384, 192, 384, 48, 128, 128))
    for block in blocks:
        if block is None:
            net.pool()
            continue
        one, three_in, three, five_in, five, proj = block
        net.branch().conv(one)
        net.branch().conv(three_in).conv(three, 3)
        net.branch().conv(five_in).conv(five, 5)
        net.branch().pool(1).conv(proj)
        net.move(one + three + five + proj)
    return net.global_pool().fc(1000)


def resnet18():
    net = Net(3, 224).conv(64, 7, 2).pool()
    for c, s in ((64, 1), (128, 2), (256, 2), (512, 2)):
        for i in range(2):
            stride = s if i == 0 else 1
            if stride == 2:
                net.branch().conv(c, 1, 2)
            net.conv(c, 3, stride).conv(c, 3).add()
    return net.global_pool().fc(1000)


def resnet50():
    net = Net(3, 224).conv(64, 7, 2).pool()
    for c, n, s in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for i in range(n):
            stride = s if i == 0 else 1
            if i == 0:
                net.branch().conv(4 * c, 1, stride)
            net.conv(c, 1, stride).conv(c, 3).conv(4 * c).add()
    return net.global_pool().fc(1000)


def alexnet():
    net = Net(3, 227).conv(96, 11, 4, valid=True).move()
    net.h = net.w = 27
    net.pool(1)
    net.conv(256, 5, 1, groups=2).move()
    net.h = net.w = 13
    net.pool(1).conv(384, 3).conv(384, 3, 1, groups=2).conv(256, 3, 1, groups=2)
    net.h = net.w = 6
    return net.pool(1).fc(4096).fc(4096).fc(1000)


def vgg16():
    net = Net(3, 224)
    for c, n in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(n):
            net.conv(c, 3)
        net.pool(2)
    return net.fc(4096).fc(4096).fc(1000)


def mobilenet_ssd():
    net = Net(3, 300).conv(32, 3, 2)
    heads = []
    for out, s in ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1),
                   (512, 1), (512, 1), (512, 1)):
        net.dw(3, s).conv(out)
    heads.append((net.branch(), 3))
    net.dw(3, 2).conv(1024).dw().conv(1024)
    heads.append((net.branch(), 6))
    for squeeze, out in ((256, 512), (128, 256), (128, 256), (64, 128)):
        net.conv(squeeze).conv(out, 3, 2)
        heads.append((net.branch(), 6))
    for head, anchors in heads:
        head.branch().conv(4 * anchors)
        head.branch().conv(21 * anchors)
    return net


def yolov4_tiny():
    net = Net(3, 416).conv(32, 3, 2).conv(64, 3, 2)
    route = None
    for c in (64, 128, 256):
        net.conv(c, 3).move()
        net.c = c // 2
        net.conv(c // 2, 3).conv(c // 2, 3).move(c).conv(c)
        route = net.branch()
        net.move(2 * c).pool()
    net.conv(512, 3).conv(256)
    net.branch().conv(512, 3).conv(255)
    net.conv(128)
    net.h, net.w = 26, 26
    net.move().move(128 + route.c)
    return net.conv(256, 3).conv(255)


NETWORKS = {
    "squeezenet": squeezenet, "mobilenet": mobilenet, "mobilenet_v2": mobilenet_v2,
    "mobilenet_v3": mobilenet_v3, "shufflenet": shufflenet, "shufflenet_v2": shufflenet_v2,
    "mnasnet": mnasnet, "proxylessnasnet": proxylessnasnet, "efficientnet_b0": efficientnet_b0,
    "efficientnetv2_b0": efficientnetv2_b0, "regnety_400m": regnety_400m, "blazeface": blazeface,
    "googlenet": googlenet, "resnet18": resnet18, "alexnet": alexnet, "vgg16": vgg16,
    "resnet50": resnet50, "mobilenet_ssd": mobilenet_ssd, "yolov4-tiny": yolov4_tiny,
}


def features(name):
    """The sum over a network's layers, in the order of FEATURES."""
    return [sum(column) for column in zip(*NETWORKS[name]().rows)]
