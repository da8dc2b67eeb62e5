"""Writes the two networks of these experiments, for Fashion-MNIST: vit.pt2 and mobilenet.pt2.

    build/libtorch/bin/python3 experiments/exported/make_networks.py

Any network of yours goes the same way: docs/bring_your_network.md.
"""
import pathlib
import sys

import torch
from torch import nn

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1] / "sdk/python")]
import retort_export  # noqa: E402


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        batch, tokens, width = x.shape
        q, k, v = self.qkv(x).reshape(batch, tokens, 3, self.heads,
                                      width // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        x = nn.functional.scaled_dot_product_attention(q, k, v)
        return self.proj(x.transpose(1, 2).reshape(batch, tokens, width))


class Block(nn.Module):
    def __init__(self, width, heads, dropout):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Dropout(dropout),
                                 nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class ViT(nn.Module):
    """A vision transformer for 28 x 28 grey images: 49 patches of 4 x 4, and a class token."""

    def __init__(self, classes=10, width=64, depth=4, heads=4, dropout=0.1):
        super().__init__()
        self.patch = nn.Conv2d(1, width, 4, 4)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.randn(1, 50, width) * 0.02)
        self.blocks = nn.Sequential(*(Block(width, heads, dropout) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.cls_token.expand(x.shape[0], -1, -1), x), 1) + self.pos_embed
        return self.head(self.norm(self.blocks(x))[:, 0])


def inverted(inputs, outputs, stride, expansion=3):
    wide = inputs * expansion
    return nn.Sequential(
        nn.Conv2d(inputs, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.Hardswish(inplace=True),
        nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False), nn.BatchNorm2d(wide),
        nn.Hardswish(inplace=True),
        nn.Conv2d(wide, outputs, 1, bias=False), nn.BatchNorm2d(outputs))


class MobileNet(nn.Module):
    """Depthwise convolutions in inverted bottlenecks, after MobileNetV3 (Howard et al. 2019)."""

    def __init__(self, classes=10):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16),
                                  nn.Hardswish(inplace=True))
        self.layer1 = inverted(16, 16, 1)
        self.layer2 = inverted(16, 32, 2)
        self.dropout = nn.Dropout(0.1)
        self.fc = nn.Linear(32, classes)

    def forward(self, x):
        x = self.layer2(self.layer1(self.stem(x)))
        return self.fc(self.dropout(x.mean((2, 3))))


if __name__ == "__main__":
    torch.manual_seed(1)
    for name, network in (("vit", ViT()), ("mobilenet", MobileNet())):
        retort_export.save(network, torch.zeros(2, 1, 28, 28), str(HERE / f"{name}.pt2"))
        print(HERE / f"{name}.pt2")
