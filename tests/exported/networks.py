"""Small networks that together use all that an exported program may: each entry of NETWORKS gives a
module, an example to export it with, and inputs of another batch size to run."""
import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    """Two convolutions with a shortcut; one ReLU module, called twice, in place."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        same = stride == 1 and inputs == outputs
        self.down = nn.Identity() if same else nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        y += self.down(x)
        return self.relu(y)


class ResNet(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.layer1 = nn.Sequential(Block(8, 8, 1))
        self.layer2 = nn.Sequential(Block(8, 16, 2))
        self.layer3 = nn.Sequential(Block(16, 32, 2))
        self.fc = nn.Linear(32, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


class MobileNet(nn.Module):
    """Depthwise convolutions, hard swish, dropout of numbers and of feature maps."""

    def __init__(self, classes=10):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8),
                                  nn.Hardswish(inplace=True))
        self.depth = nn.Sequential(nn.Conv2d(8, 8, 3, 1, 1, groups=8, bias=False),
                                   nn.BatchNorm2d(8), nn.ReLU6(inplace=True))
        self.point = nn.Sequential(nn.Conv2d(8, 16, 1, bias=False), nn.BatchNorm2d(16))
        self.maps = nn.Dropout2d(0.25)
        self.drop = nn.Dropout(0.2, inplace=True)
        self.fc = nn.Linear(16, classes)

    def forward(self, x):
        x = self.maps(self.point(self.depth(self.stem(x))))
        return self.fc(self.drop(x.mean((2, 3))))


class DropPath(nn.Module):
    """A residual branch left out for some samples, drawn with bernoulli_ or with rand."""

    def __init__(self, p, with_rand):
        super().__init__()
        self.p, self.with_rand = p, with_rand

    def forward(self, x):
        if not self.training:
            return x
        keep, shape = 1 - self.p, (x.shape[0],) + (1,) * (x.dim() - 1)
        if self.with_rand:
            return x.div(keep) * (keep + torch.rand(shape, dtype=x.dtype, device=x.device)).floor_()
        return x * x.new_empty(shape).bernoulli_(keep).div_(keep)


class Attention(nn.Module):
    def __init__(self, width, heads, p):
        super().__init__()
        self.heads, self.p = heads, p
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        batch, tokens, width = x.shape
        q, k, v = self.qkv(x).reshape(batch, tokens, 3, self.heads,
                                      width // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        x = F.scaled_dot_product_attention(q, k, v, dropout_p=self.p if self.training else 0.0)
        return self.proj(x.transpose(1, 2).reshape(batch, tokens, width))


class ViTBlock(nn.Module):
    def __init__(self, width, heads, p, with_rand):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads, p)
        self.path = DropPath(0.2, with_rand)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Dropout(p),
                                 nn.Linear(2 * width, width))

    def forward(self, x):
        x = x + self.path(self.attn(self.norm1(x)))
        return x + self.path(self.mlp(self.norm2(x)))


class ViT(nn.Module):
    def __init__(self, classes=10, size=32, width=32, with_rand=False):
        super().__init__()
        self.patch = nn.Conv2d(3, width, 8, 8)
        self.cls_token = nn.Parameter(torch.randn(1, 1, width))
        self.pos_embed = nn.Parameter(torch.randn(1, (size // 8) ** 2 + 1, width) * 0.02)
        self.blocks = nn.Sequential(ViTBlock(width, 4, 0.1, with_rand),
                                    ViTBlock(width, 4, 0.1, with_rand))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.cls_token.expand(x.shape[0], -1, -1), x), 1) + self.pos_embed
        return self.head(self.norm(self.blocks(x))[:, 0])


class Language(nn.Module):
    """Two inputs, masked causal attention, weights that are tied, logits for each token."""

    def __init__(self, words=20, width=16, tokens=6):
        super().__init__()
        self.embed = nn.Embedding(words, width)
        self.query = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, words, bias=False)
        self.out.weight = self.embed.weight
        self.register_buffer("positions", torch.arange(tokens), persistent=False)

    def forward(self, input_ids, attention_mask):
        x = self.embed(input_ids) + self.positions[None, :, None] * 0.01
        scores = self.query(x) @ x.transpose(1, 2) / 4
        seen = torch.tril(torch.ones(x.shape[1], x.shape[1], dtype=torch.bool))
        seen = seen & attention_mask[:, None, :].bool()
        scores = scores.masked_fill(~seen, float("-inf")).softmax(-1)
        return self.out(self.norm(torch.nan_to_num(scores) @ x))


class Encoder(nn.Module):
    """As BERT's: attention with mask and dropout, two results, a table in half precision."""

    def __init__(self, words=20, width=16, tokens=6, classes=4):
        super().__init__()
        self.words = nn.Embedding(words, width, padding_idx=0)
        self.places = nn.Embedding(tokens, width)
        self.register_buffer("scale", torch.linspace(0.5, 1.5, width).bfloat16())
        self.norm, self.drop = nn.LayerNorm(width), nn.Dropout(0.1)
        self.layers = nn.TransformerEncoderLayer(width, 2, 32, 0.1, batch_first=True)
        self.query, self.value = nn.Linear(width, width), nn.Linear(width, width)
        self.pooler, self.head = nn.Linear(width, width), nn.Linear(width, classes)

    def forward(self, input_ids, attention_mask):
        places = torch.arange(input_ids.size(1), device=input_ids.device)
        x = self.drop(self.norm(self.words(input_ids) + self.places(places)) * self.scale.float())
        mask = attention_mask[:, None, None, :].bool()
        x = x + F.scaled_dot_product_attention(
            self.query(x).unflatten(-1, (2, -1)).transpose(1, 2), x.unflatten(-1, (2, -1)).transpose(1, 2),
            self.value(x).unflatten(-1, (2, -1)).transpose(1, 2), mask,
            dropout_p=0.1 if self.training else 0.0).transpose(1, 2).flatten(2)
        x = self.layers(x, src_key_padding_mask=~mask[:, 0, 0])
        return self.head(torch.tanh(self.pooler(x[:, 0]))), x


class Recurrent(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.lstm = nn.LSTM(32, 8, 2, dropout=0.3, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(16, classes)

    def forward(self, x):
        return self.fc(self.lstm(x.mean(1)[:, :8])[0][:, -1])  # the first rows, one by one


class Odd(nn.Module):
    """Several outputs, frozen weights, a parametrised layer, batch statistics alone, regions without
    gradients and without autocast, numbers computed from sizes, numbers that the mode chooses."""

    def __init__(self, classes=10):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, 2, 1)
        self.conv.bias.requires_grad_(False)
        self.linear = torch.nn.utils.parametrizations.weight_norm(nn.Linear(8, 8))
        self.fc = nn.Linear(8, classes)
        self.register_buffer("seen", torch.zeros((), dtype=torch.float64))

    def forward(self, x):
        if self.training:
            self.seen.add_(1)
        with torch.no_grad():
            weight = F.batch_norm(self.conv.weight.flatten(1)[None], None, None, training=True)
        x = F.conv2d(x, self.conv.weight + 0.1 * weight.reshape_as(self.conv.weight),
                     self.conv.bias, 2, 1)
        batch, channels, height, width = x.shape
        windows = x.reshape(batch, channels, 2, height // 2, 2, width // 2)
        windows = windows.permute(0, 2, 4, 1, 3, 5).reshape(batch * 4, channels, -1)
        pooled = windows.mean(-1).reshape(batch, 4, channels).sum(1)
        with torch.autocast("cpu", enabled=False):
            feature = torch.tanh(self.linear(pooled))
        feature = feature * (torch.tensor([0.5, 1.5] * 4) if self.training else
                             torch.tensor([1.0, 1.25] * 4))
        return {"feature": feature, "logits": self.fc(feature)}


def image(batch, size=32):
    return torch.randn(batch, 3, size, size)


def words(batch):
    return {"input_ids": torch.randint(0, 20, (batch, 6)),
            "attention_mask": (torch.rand(batch, 6) > 0.2).long()}


def masked(batch):
    mask = torch.ones(batch, 6, dtype=torch.long)
    mask[0, -2:] = 0
    return {**words(batch), "attention_mask": mask}


# Name: the network, an example, and what it is run on.
NETWORKS = {
    "resnet": (ResNet, lambda: image(2), lambda: image(3)),
    "mobilenet": (MobileNet, lambda: image(2), lambda: image(3)),
    "vit": (ViT, lambda: image(2), lambda: image(3)),
    "vit_rand": (lambda: ViT(with_rand=True), lambda: image(2), lambda: image(3)),
    "language": (Language, lambda: words(2), lambda: words(3)),
    "encoder": (Encoder, lambda: masked(2), lambda: masked(3)),
    "recurrent": (Recurrent, lambda: image(2), lambda: image(3)),
    "odd": (Odd, lambda: image(1), lambda: image(3)),
}
