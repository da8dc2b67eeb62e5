"""Times a training step and a forward pass of networks, in PyTorch and in the host, round by round.

    python3 bench.py BENCH FOLDER [ROUNDS]

BENCH is the program exported_bench; the Python needs torch, timm and transformers. One thread, the same
malloc settings for both; prints the medians of the rounds, and PyTorch's time by the host's.
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys

import torch

import vision_stub

TUNABLES = "glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold=4294967296"
STEPS = 7
NAMES = ("resnet18", "vit_tiny", "bert", "bert_dropout", "gpt2")


def make(name):
    import timm
    import transformers
    torch.manual_seed(1)
    words = {"vocab_size": 1000}
    if name == "resnet18":
        return timm.create_model("resnet18", num_classes=10), torch.randn(16, 3, 32, 32)
    if name == "vit_tiny":
        return (timm.create_model("vit_tiny_patch16_224", num_classes=10), torch.randn(4, 3, 224, 224))
    if name.startswith("bert"):
        p = 0.1 if name.endswith("dropout") else 0.0
        config = transformers.BertConfig(hidden_size=128, num_hidden_layers=4, num_attention_heads=4,
                                         intermediate_size=512, hidden_dropout_prob=p,
                                         attention_probs_dropout_prob=p, **words)
        return (transformers.BertForSequenceClassification(config),
                {"input_ids": torch.randint(3, 1000, (8, 64))})
    config = transformers.GPT2Config(n_embd=128, n_layer=4, n_head=4, use_cache=False, resid_pdrop=0.0,
                                     embd_pdrop=0.0, attn_pdrop=0.0, **words)
    return transformers.GPT2LMHeadModel(config), {"input_ids": torch.randint(3, 1000, (8, 64))}


def time_pytorch(name):
    import time
    import make_reference
    torch.set_num_threads(1)
    model, inputs = make(name)
    model.train()
    weights = list(model.parameters())
    projection = torch.randn(make_reference.first_real(make_reference.call(model, inputs)).shape)

    def step():
        (make_reference.first_real(make_reference.call(model, inputs)) * projection).sum().backward()
        with torch.no_grad():
            live = [weight for weight in weights if weight.grad is not None]
            torch._foreach_add_(live, [weight.grad for weight in live], alpha=-1e-4)
        for weight in weights:
            weight.grad = None

    def measure(function):
        times = []
        for i in range(-2, STEPS):
            start = time.perf_counter()
            function()
            if i >= 0:
                times.append((time.perf_counter() - start) * 1e3)
        return statistics.median(times)

    result = {"step_ms": measure(step)}
    model.eval()
    with torch.no_grad():
        result["forward_ms"] = measure(lambda: make_reference.call(model, inputs))
    print(json.dumps(result))


def prepare(folder, name):
    import make_reference
    torch.set_num_threads(1)
    model, inputs = make(name)
    make_reference.write_reference(folder, name, model, inputs, inputs)


def run(command):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLIBC_TUNABLES": TUNABLES}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    return json.loads(ran.stdout.strip().splitlines()[-1])


def main():
    library = vision_stub.define_operators() if sys.argv[1] in ("time", "prepare") else None  # noqa: F841
    if sys.argv[1] == "time":
        return time_pytorch(sys.argv[2])
    if sys.argv[1] == "prepare":
        return prepare(pathlib.Path(sys.argv[2]), sys.argv[3])
    bench, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 7
    folder.mkdir(parents=True, exist_ok=True)
    print("| network | step, host ms | step, PyTorch ms | ratio | forward, host ms | PyTorch ms | ratio |")
    print("|---|---|---|---|---|---|---|")
    for name in NAMES:
        subprocess.run([sys.executable, __file__, "prepare", str(folder), name], check=True,
                       capture_output=True)
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(run([bench, str(folder / f"{name}.pt2"),
                             str(folder / f"{name}.ref.safetensors"), str(STEPS)]))
            theirs.append(run([sys.executable, __file__, "time", name]))
        columns = []
        for part in ("step_ms", "forward_ms"):
            a = statistics.median(one[part] for one in ours)
            b = statistics.median(one[part] for one in theirs)
            ratio = statistics.median(y[part] / x[part] for x, y in zip(ours, theirs))
            columns.append(f"{a:.1f} | {b:.1f} | {ratio:.2f}")
        print(f"| {name} | " + " | ".join(columns) + " |", flush=True)


if __name__ == "__main__":
    main()
