"""Exports networks of timm and transformers, runs them in PyTorch and in the host, and compares to the bit.

    python3 zoo.py CHECK FOLDER [timm|transformers] [NAME ...] > rows.md

CHECK is the program exported_check (ninja exported_check); FOLDER holds the files meanwhile, of one
network at a time. The Python needs torch, timm and transformers (docs/checked_networks.md names the
versions). A row a network: what is equal to PyTorch's eager mode to the last bit, with the random
operators' results of PyTorch handed to both.
"""
import json
import pathlib
import subprocess
import sys
import warnings

import torch

warnings.filterwarnings("ignore")
KINDS = ("timm", "transformers")
SECONDS = 900


def find_kind(kind):
    if kind == "timm":
        import zoo_timm
        return zoo_timm
    import zoo_transformers
    return zoo_transformers


def make_files(folder, kind, name):
    """In a process of its own, so that its memory goes with it."""
    import make_reference
    import vision_stub
    library = vision_stub.define_operators()  # noqa: F841
    torch.manual_seed(1)
    torch.set_num_threads(1)
    model, example, inputs = find_kind(kind).make(name)
    make_reference.write_reference(folder, "network", model, example, inputs)
    print(json.dumps({"parameters": sum(p.numel() for p in model.parameters())}))


def agreement(found):
    if found["of"] == 0:
        return "-"
    if found["equal"] == found["of"]:
        return "=" if found["of"] == 1 else f"{found['equal']}/{found['of']}"
    return f"{found['equal']}/{found['of']} ({found['worst']:.0e})"


def write_row(check, folder, kind, name):
    for file in folder.glob("network.*"):
        file.unlink()
    made = subprocess.run([sys.executable, __file__, "make", str(folder), kind, name],
                          capture_output=True, text=True, timeout=SECONDS)
    if made.returncode != 0:
        return f"| {name} | not exported: {made.stderr.strip().splitlines()[-1][:150]} |"
    facts = json.loads(made.stdout.strip().splitlines()[-1])
    notes = [line for line in made.stderr.splitlines() if "drawn node by node" in line]
    ran = subprocess.run([check, str(folder / "network.pt2"), str(folder / "network.ref.safetensors")],
                         capture_output=True, text=True, timeout=SECONDS,
                         env={"OMP_NUM_THREADS": "1"})
    if ran.returncode != 0:
        return f"| {name} | ended with {ran.returncode} |"
    found = json.loads(ran.stdout)
    if "error" in found:
        return f"| {name} | {found['error'][:200]} |"
    columns = [agreement(found[part])
               for part in ("evaluation", "training", "gradients", "buffers", "taps")]
    row = f"| {name} | {facts['parameters'] / 1e6:.1f} | " + " | ".join(columns)
    return row + f" | {found['load_s']:.2f} |" + (" draws differ" if notes else "")


def main():
    if sys.argv[1] == "make":
        return make_files(pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4])
    check, folder, wanted = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
    folder.mkdir(parents=True, exist_ok=True)
    kinds = [kind for kind in KINDS if kind in wanted] or KINDS
    names = [name for name in wanted if name not in KINDS]
    for kind in kinds:
        print(f"\n| {kind} | parameters, millions | evaluation | training | gradients | buffers | taps "
              "| load s |\n|---|---|---|---|---|---|---|---|", flush=True)
        for name in names or find_kind(kind).NAMES:
            try:
                print(write_row(check, folder, kind, name), flush=True)
            except subprocess.TimeoutExpired:
                print(f"| {name} | takes more than {SECONDS} s |", flush=True)


if __name__ == "__main__":
    main()
