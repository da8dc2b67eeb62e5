"""What the two PyTorch contenders share: the model, the files, the loss, and the figures printed.

Nothing here needs more than torch and the standard library.
"""

import argparse
import gzip
import json
import math
import os
import resource
import struct
import time

import torch
import torch.nn.functional as F
from torch import nn

MEAN, STD = 0.2860, 0.3530
TEMPERATURE, CE_WEIGHT, KD_WEIGHT = 4.0, 0.1, 0.9
MOMENTUM, WEIGHT_DECAY = 0.9, 5e-4
PAD, SIDE, CLASSES = 2, 28, 10


def seconds_since_process_start():
    """Counts the interpreter's own start and the imports, which a clock read here would miss."""
    with open("/proc/self/stat") as file:
        started_ticks = int(file.read().rsplit(")", 1)[1].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started_ticks / os.sysconf("SC_CLK_TCK")


class Block(nn.Module):
    """Two 3x3 convolutions; shortcut "A" strides and adds zeros, "B" is a 1x1 convolution."""

    def __init__(self, inputs, outputs, stride, shortcut):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride, self.new_channels = stride, outputs - inputs
        self.downsample = None
        if shortcut == "B" and (stride != 1 or inputs != outputs):
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        if self.downsample is not None:
            x = self.downsample(x)
        elif self.stride != 1 or self.new_channels:
            low = self.new_channels // 2
            x = F.pad(x[:, :, ::self.stride, ::self.stride],
                      (0, 0, 0, 0, low, self.new_channels - low))
        return F.relu(y + x, inplace=True)


class ResNet(nn.Module):
    """The CIFAR ResNet of depth 6n+2 with stages of 16, 32 and 64 channels."""

    def __init__(self, depth, shortcut="B", channels=1, classes=CLASSES):
        super().__init__()
        blocks, width = (depth - 2) // 6, 16
        self.conv1 = nn.Conv2d(channels, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        stages = []
        for outputs, stride in ((16, 1), (32, 2), (64, 2)):
            stage = [Block(width, outputs, stride, shortcut)]
            stage += [Block(outputs, outputs, 1, shortcut) for _ in range(blocks - 1)]
            stages.append(nn.Sequential(*stage))
            width = outputs
        self.layer1, self.layer2, self.layer3 = stages
        self.fc = nn.Linear(width, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(x.mean((2, 3)))


def read_safetensors(path):
    """The float32 and int64 tensors of a safetensors file, by name."""
    with open(path, "rb") as file:
        raw = bytearray(file.read())
    start = 8 + struct.unpack_from("<Q", raw)[0]
    dtypes = {"F32": torch.float32, "I64": torch.int64}
    tensors = {}
    for name, info in json.loads(raw[8:start]).items():
        if name == "__metadata__":
            continue
        begin, end = info["data_offsets"]
        dtype = dtypes[info["dtype"]]
        size = (end - begin) // dtype.itemsize
        flat = torch.frombuffer(raw, dtype=dtype, count=size, offset=start + begin) if size else (
            torch.empty(0, dtype=dtype))
        tensors[name] = flat.reshape(info["shape"]).clone()
    return tensors


def load_weights(model, path):
    """Every parameter and running statistic must be in the file; num_batches_tracked may not be."""
    if path is None:
        return
    missing, unexpected = model.load_state_dict(read_safetensors(path), strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise SystemExit(f"{path}: missing {missing}, unexpected {unexpected}")


def read_idx(folder, name):
    with gzip.open(os.path.join(folder, name + ".gz")) as file:
        raw = bytearray(file.read())
    shape = struct.unpack_from(f">{raw[3]}I", raw, 4)
    data = torch.frombuffer(raw, dtype=torch.uint8, offset=4 + 4 * raw[3])
    return data.reshape(shape)


def read_training_set(folder):
    """Images [60000, 28, 28] uint8 and labels [60000] int64."""
    images = read_idx(folder, "train-images-idx3-ubyte")
    return images, read_idx(folder, "train-labels-idx1-ubyte").long()


def distillation_loss(student, teacher, labels):
    """0.1 CE + 0.9 T^2 KL(teacher || student), the mean over the batch."""
    soft = F.kl_div(F.log_softmax(student / TEMPERATURE, 1), F.softmax(teacher / TEMPERATURE, 1),
                    reduction="batchmean")
    return CE_WEIGHT * F.cross_entropy(student, labels) + KD_WEIGHT * TEMPERATURE**2 * soft


def build_models(args, memory_format=torch.contiguous_format):
    torch.manual_seed(args.seed)
    teacher = ResNet(20, args.shortcut).eval().requires_grad_(False)
    student = ResNet(8, args.shortcut).train()
    load_weights(teacher, args.teacher)
    load_weights(student, args.student_init)
    return (teacher.to(args.device, memory_format=memory_format),
            student.to(args.device, memory_format=memory_format))


def parse_arguments(description, **extra):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist",
                        help="folder of the four IDX .gz files")
    parser.add_argument("--teacher", metavar="FILE", help="resnet20 weights, safetensors")
    parser.add_argument("--student-init", metavar="FILE", help="resnet8 weights, safetensors")
    parser.add_argument("--shortcut", choices=["A", "B"], default="B")
    parser.add_argument("--steps", type=int, default=100, help="measured steps")
    parser.add_argument("--warmup", type=int, default=5, help="steps before them, not measured")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lr", type=float, default=0.1)
    for name, settings in extra.items():
        parser.add_argument("--" + name, **settings)
    args = parser.parse_args()
    if args.steps < 1 or args.warmup < 0 or args.batch < 1 or args.threads < 1:
        parser.error("--steps, --batch and --threads must be >= 1, --warmup >= 0")
    torch.set_num_threads(args.threads)
    torch.backends.cudnn.benchmark = True
    return args


class Stopwatch:
    """Adds up the seconds of each phase; a phase ends where the next one begins."""

    def __init__(self):
        self.seconds = {}
        self._last = time.perf_counter()

    def lap(self, phase):
        now = time.perf_counter()
        self.seconds[phase] = self.seconds.get(phase, 0.0) + now - self._last
        self._last = now


def wait_for(device):
    if device == "cuda":
        torch.cuda.synchronize()


def train(args, step):
    """Runs `step(stopwatch)`, which gives the loss as a tensor or number; prints the figures.

    On a GPU only the sum of the shares means something: a phase ends before its work does."""
    watch, losses, first_step_s = Stopwatch(), [], None
    for index in range(args.warmup + args.steps):
        if index == args.warmup:
            wait_for(args.device)
            watch = Stopwatch()
        losses.append(step(watch))
        if index == 0:
            wait_for(args.device)
            first_step_s = seconds_since_process_start()
    wait_for(args.device)
    watch.lap("optimizer")
    total = sum(watch.seconds.values())
    losses = [float(loss) for loss in losses]
    if not all(map(math.isfinite, losses)):
        raise SystemExit(f"a loss is not finite: {losses}")
    print(json.dumps({
        "images_per_s": round(args.batch * args.steps / total, 1),
        "share": {phase: round(s / total, 4) for phase, s in watch.seconds.items()},
        "peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "first_step_s": round(first_step_s, 3),
        "first_losses": losses[:10],
        "last_loss": losses[-1],
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }))
