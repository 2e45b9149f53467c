"""The CRD benchmark's networks with the benchmark's module names, written down anew as a reference.

Origin of names and structure: HobbitLong/RepDistiller, models/{resnet,resnetv2,wrn,vgg,mobilenetv2,ShuffleNetv1,
ShuffleNetv2}.py; mdistiller and the authors of TopKD use the same.
"""

import torch
import torch.nn.functional as F
from torch import nn


def conv(c_in, c_out, k, stride=1, groups=1, bias=False):
    return nn.Conv2d(c_in, c_out, k, stride, k // 2, groups=groups, bias=bias)


def projection(c_in, c_out, stride):
    return nn.Sequential(conv(c_in, c_out, 1, stride), nn.BatchNorm2d(c_out))


class BasicBlock(nn.Module):
    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.conv1, self.bn1 = conv(c_in, c_out, 3, stride), nn.BatchNorm2d(c_out)
        self.conv2, self.bn2 = conv(c_out, c_out, 3), nn.BatchNorm2d(c_out)
        self.downsample = projection(c_in, c_out, stride) if stride == 2 or c_in != c_out else None

    def forward(self, x):
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return (y + (x if self.downsample is None else self.downsample(x))).relu()


class ResNet(nn.Module):
    def __init__(self, depth, c, num_classes=100):
        super().__init__()
        n = (depth - 2) // 6
        self.conv1, self.bn1 = conv(3, c[0], 3), nn.BatchNorm2d(c[0])
        for i in (1, 2, 3):
            blocks = [BasicBlock(c[i - 1] if j == 0 else c[i], c[i], 2 if i > 1 and j == 0 else 1) for j in range(n)]
            setattr(self, f'layer{i}', nn.Sequential(*blocks))
        self.fc = nn.Linear(c[3], num_classes)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.bn1(self.conv1(x)).relu())))
        return self.fc(F.avg_pool2d(x, 8).flatten(1))


class Bottleneck(nn.Module):
    def __init__(self, c_in, c, stride):
        super().__init__()
        self.conv1, self.bn1 = conv(c_in, c, 1), nn.BatchNorm2d(c)
        self.conv2, self.bn2 = conv(c, c, 3, stride), nn.BatchNorm2d(c)
        self.conv3, self.bn3 = conv(c, 4 * c, 1), nn.BatchNorm2d(4 * c)
        self.shortcut = projection(c_in, 4 * c, stride) if stride == 2 or c_in != 4 * c else nn.Sequential()

    def forward(self, x):
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu())).relu()
        return (self.bn3(self.conv3(y)) + self.shortcut(x)).relu()


class ResNet50(nn.Module):
    def __init__(self, num_classes=100):
        super().__init__()
        self.conv1, self.bn1, c_in = conv(3, 64, 3), nn.BatchNorm2d(64), 64
        for i, (c, n) in enumerate(zip((64, 128, 256, 512), (3, 4, 6, 3)), 1):
            blocks = [Bottleneck(c_in if j == 0 else 4 * c, c, 2 if i > 1 and j == 0 else 1) for j in range(n)]
            setattr(self, f'layer{i}', nn.Sequential(*blocks))
            c_in = 4 * c
        self.linear = nn.Linear(2048, num_classes)

    def forward(self, x):
        x = self.bn1(self.conv1(x)).relu()
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.linear(x.mean((2, 3)))


class WideBlock(nn.Module):
    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(c_in), conv(c_in, c_out, 3, stride)
        self.bn2, self.conv2 = nn.BatchNorm2d(c_out), conv(c_out, c_out, 3)
        self.convShortcut = None if c_in == c_out else conv(c_in, c_out, 1, stride)

    def forward(self, x):
        y = self.bn1(x).relu()
        shortcut = x if self.convShortcut is None else self.convShortcut(y)
        return shortcut + self.conv2(self.bn2(self.conv1(y)).relu())


class WideGroup(nn.Module):
    def __init__(self, n, c_in, c_out, stride):
        super().__init__()
        self.layer = nn.Sequential(
            *[WideBlock(c_in if j == 0 else c_out, c_out, stride if j == 0 else 1) for j in range(n)]
        )

    def forward(self, x):
        return self.layer(x)


class WideResNet(nn.Module):
    def __init__(self, depth, k, num_classes=100):
        super().__init__()
        n = (depth - 4) // 6
        self.conv1 = conv(3, 16, 3)
        self.block1 = WideGroup(n, 16, 16 * k, 1)
        self.block2 = WideGroup(n, 16 * k, 32 * k, 2)
        self.block3 = WideGroup(n, 32 * k, 64 * k, 2)
        self.bn1 = nn.BatchNorm2d(64 * k)
        self.fc = nn.Linear(64 * k, num_classes)

    def forward(self, x):
        x = self.bn1(self.block3(self.block2(self.block1(self.conv1(x))))).relu()
        return self.fc(F.avg_pool2d(x, 8).flatten(1))


class VGG(nn.Module):
    def __init__(self, widths, num_classes=100):
        super().__init__()
        c = 3
        for i, block in enumerate(widths):
            layers = []
            for width in block:
                layers += [conv(c, width, 3, bias=True), nn.BatchNorm2d(width), nn.ReLU()]
                c = width
            # the last activation of a block is applied outside of it
            setattr(self, f'block{i}', nn.Sequential(*layers[:-1]))
        self.classifier = nn.Linear(512, num_classes)

    def forward(self, x):
        pools = 4 if x.shape[2] == 64 else 3
        for i in range(5):
            x = getattr(self, f'block{i}')(x).relu()
            x = F.max_pool2d(x, 2) if i < pools else x
        return self.classifier(F.adaptive_avg_pool2d(x, 1).flatten(1))


class InvertedResidual(nn.Module):
    def __init__(self, c_in, c_out, stride, t):
        super().__init__()
        c = c_in * t
        self.add = stride == 1 and c_in == c_out
        self.conv = nn.Sequential(
            conv(c_in, c, 1),
            nn.BatchNorm2d(c),
            nn.ReLU(),
            conv(c, c, 3, stride, groups=c),
            nn.BatchNorm2d(c),
            nn.ReLU(),
            conv(c, c_out, 1),
            nn.BatchNorm2d(c_out),
        )

    def forward(self, x):
        return x + self.conv(x) if self.add else self.conv(x)


class MobileNetV2(nn.Module):
    def __init__(self, width=0.5, num_classes=100):
        super().__init__()
        c_in = int(32 * width)
        self.conv1 = nn.Sequential(conv(3, c_in, 3, 2), nn.BatchNorm2d(c_in), nn.ReLU())
        self.blocks = nn.ModuleList()
        for t, c, n, s in (
            (1, 16, 1, 1),
            (6, 24, 2, 1),
            (6, 32, 3, 2),
            (6, 64, 4, 2),
            (6, 96, 3, 1),
            (6, 160, 3, 2),
            (6, 320, 1, 1),
        ):
            c = int(c * width)
            self.blocks.append(
                nn.Sequential(*[InvertedResidual(c_in if j == 0 else c, c, s if j == 0 else 1, t) for j in range(n)])
            )
            c_in = c
        self.conv2 = nn.Sequential(conv(c_in, 1280, 1), nn.BatchNorm2d(1280), nn.ReLU())
        self.classifier = nn.Sequential(nn.Linear(1280, num_classes))

    def forward(self, x):
        x = self.conv1(x)
        for block in self.blocks:
            x = block(x)
        return self.classifier(F.avg_pool2d(self.conv2(x), 2, ceil_mode=True).flatten(1))


def shuffle(x, g):
    """Channel i * (C / g) + j goes to j * g + i."""
    order = torch.arange(x.shape[1]).reshape(g, -1).t().flatten()
    return x[:, order]


class ShuffleBottleneck(nn.Module):
    def __init__(self, c_in, c_out, stride, g):
        super().__init__()
        c, self.stride = c_out // 4, stride
        self.g = 1 if c_in == 24 else g
        self.conv1, self.bn1 = conv(c_in, c, 1, groups=self.g), nn.BatchNorm2d(c)
        self.conv2, self.bn2 = conv(c, c, 3, stride, groups=c), nn.BatchNorm2d(c)
        self.conv3, self.bn3 = conv(c, c_out, 1, groups=g), nn.BatchNorm2d(c_out)

    def forward(self, x):
        y = shuffle(self.bn1(self.conv1(x)).relu(), self.g)
        y = self.bn3(self.conv3(self.bn2(self.conv2(y)).relu()))
        if self.stride == 1:
            return (y + x).relu()
        return torch.cat([y, F.avg_pool2d(x, 3, 2, 1)], 1).relu()


class ShuffleNetV1(nn.Module):
    def __init__(self, num_classes=100):
        super().__init__()
        self.conv1, self.bn1, c_in = conv(3, 24, 1), nn.BatchNorm2d(24), 24
        for i, (c, n) in enumerate(zip((240, 480, 960), (4, 8, 4)), 1):
            down = ShuffleBottleneck(c_in, c - c_in, 2, 3)
            setattr(self, f'layer{i}', nn.Sequential(down, *[ShuffleBottleneck(c, c, 1, 3) for _ in range(n - 1)]))
            c_in = c
        self.linear = nn.Linear(960, num_classes)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.bn1(self.conv1(x)).relu())))
        return self.linear(F.avg_pool2d(x, 4).flatten(1))


class SplitBlock(nn.Module):
    def __init__(self, c):
        super().__init__()
        c = self.half = c // 2
        self.conv1, self.bn1 = conv(c, c, 1), nn.BatchNorm2d(c)
        self.conv2, self.bn2 = conv(c, c, 3, groups=c), nn.BatchNorm2d(c)
        self.conv3, self.bn3 = conv(c, c, 1), nn.BatchNorm2d(c)

    def forward(self, x):
        y = self.bn1(self.conv1(x[:, self.half :])).relu()
        y = self.bn3(self.conv3(self.bn2(self.conv2(y)))).relu()
        return shuffle(torch.cat([x[:, : self.half], y], 1), 2)


class DownBlock(nn.Module):
    def __init__(self, c_in, c_out):
        super().__init__()
        c = c_out // 2
        self.conv1, self.bn1 = conv(c_in, c_in, 3, 2, groups=c_in), nn.BatchNorm2d(c_in)
        self.conv2, self.bn2 = conv(c_in, c, 1), nn.BatchNorm2d(c)
        self.conv3, self.bn3 = conv(c_in, c, 1), nn.BatchNorm2d(c)
        self.conv4, self.bn4 = conv(c, c, 3, 2, groups=c), nn.BatchNorm2d(c)
        self.conv5, self.bn5 = conv(c, c, 1), nn.BatchNorm2d(c)

    def forward(self, x):
        left = self.bn2(self.conv2(self.bn1(self.conv1(x)))).relu()
        right = self.bn4(self.conv4(self.bn3(self.conv3(x)).relu()))
        return shuffle(torch.cat([left, self.bn5(self.conv5(right)).relu()], 1), 2)


class ShuffleNetV2(nn.Module):
    def __init__(self, widths=(116, 232, 464, 1024), num_classes=100):
        super().__init__()
        self.conv1, self.bn1, c_in = conv(3, 24, 1), nn.BatchNorm2d(24), 24
        for i, (c, n) in enumerate(zip(widths, (3, 7, 3)), 1):
            setattr(self, f'layer{i}', nn.Sequential(DownBlock(c_in, c), *[SplitBlock(c) for _ in range(n)]))
            c_in = c
        self.conv2, self.bn2 = conv(c_in, widths[3], 1), nn.BatchNorm2d(widths[3])
        self.linear = nn.Linear(widths[3], num_classes)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.bn1(self.conv1(x)).relu())))
        return self.linear(F.avg_pool2d(self.bn2(self.conv2(x)).relu(), 4).flatten(1))


SMALL, WIDE = (16, 16, 32, 64), (32, 64, 128, 256)
VGG8 = [[64], [128], [256], [512], [512]]
VGG13 = [[64, 64], [128, 128], [256, 256], [512, 512], [512, 512]]
VGG16 = [[64, 64], [128, 128], [256] * 3, [512] * 3, [512] * 3]
REFERENCES = dict(
    resnet20=lambda **kw: ResNet(20, SMALL, **kw),
    resnet32=lambda **kw: ResNet(32, SMALL, **kw),
    resnet56=lambda **kw: ResNet(56, SMALL, **kw),
    resnet110=lambda **kw: ResNet(110, SMALL, **kw),
    resnet8x4=lambda **kw: ResNet(8, WIDE, **kw),
    resnet32x4=lambda **kw: ResNet(32, WIDE, **kw),
    wrn16_2=lambda **kw: WideResNet(16, 2, **kw),
    wrn40_1=lambda **kw: WideResNet(40, 1, **kw),
    wrn40_2=lambda **kw: WideResNet(40, 2, **kw),
    vgg8=lambda **kw: VGG(VGG8, **kw),
    vgg13=lambda **kw: VGG(VGG13, **kw),
    resnet50=ResNet50,
    mobilenetv2=MobileNetV2,
    shufflenetv1=ShuffleNetV1,
    shufflenetv2=ShuffleNetV2,
    resnet44=lambda **kw: ResNet(44, SMALL, **kw),
    resnet110x2=lambda **kw: ResNet(110, (16, 32, 64, 128), **kw),
    vgg16=lambda **kw: VGG(VGG16, **kw),
    mobilenetv2_x1=lambda **kw: MobileNetV2(1.0, **kw),
    shufflenetv2_x1_5=lambda **kw: ShuffleNetV2((176, 352, 704, 1024), **kw),
)


def reference(network, seed=0, **kwargs):
    """Build a network of the benchmark in eval mode with random weights and random statistics."""
    torch.manual_seed(seed)
    model = REFERENCES[network](**kwargs).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            # scales around 1 keep the signal alive through a hundred layers
            nn.init.uniform_(module.weight, 0.8, 1.2)
            nn.init.normal_(module.bias, std=0.1)
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.8, 1.2)
            module.num_batches_tracked.fill_(7)
        elif isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode='fan_in')
    return model
