"""Checks sdk/python/retort_export.py: what it writes, what it leaves alone, and what it warns of.

    python3 export_test.py FOLDER
"""
import json
import pathlib
import sys
import warnings
import zipfile

import torch
from torch import nn

sys.path[:0] = [str(pathlib.Path(__file__).parents[2] / "sdk/python")]
import retort_export  # noqa: E402
from networks import NETWORKS  # noqa: E402


class Round(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.round()

    @staticmethod
    def backward(ctx, gradient):
        return gradient


round_straight_through = Round.apply  # as most code keeps it


class Rounding(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(3, 4)

    def forward(self, x):
        return self.fc(self.drop(round_straight_through(self.norm(x))).mean((2, 3)))


class Choosing(nn.Module):
    """Cannot be exported for training: what it does depends on a number that is drawn."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(12, 4)

    def forward(self, x):
        if self.training and torch.rand(()) < 0.5:
            return self.fc(x.flatten(1)) * 2
        return self.fc(x.flatten(1))


def check(holds, what):
    if not holds:
        sys.exit(f"retort_export: {what}")


def check_leaves_alone(folder):
    model, example = Rounding(), torch.randn(1, 3, 2, 2)  # one sample: sizes of 1 would be kept
    model.norm.eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    generator = torch.get_rng_state()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        retort_export.save(model, example, str(folder / "rounding.pt2"))
    check(any("Round" in str(warning.message) for warning in told), "no warning of a lost backward")
    check(torch.equal(generator, torch.get_rng_state()), "it drew numbers")
    check(model.training and model.fc.training and not model.norm.training, "it changed modes")
    for name, value in model.state_dict().items():
        check(torch.equal(value, before[name]), f"it changed {name}")
    check(Round.forward.__name__ == "forward" and not hasattr(Round.forward, "__wrapped__"),
          "Round was left changed")
    check(model(example).requires_grad, "the network does not run any more")


def check_file(folder):
    program = torch.export.load(str(folder / "rounding.pt2"))
    check(set(program.state_dict) == set(Rounding().state_dict()), "other names of weights")
    check(program.module()(torch.randn(5, 3, 2, 2)).shape == (5, 4), "the batch is part of the graph")
    make, example, _ = NETWORKS["odd"]  # it has regions: graphs within the graph
    retort_export.save(make(), example(), str(folder / "odd.pt2"))
    for file in ("rounding", "odd"):
        with zipfile.ZipFile(folder / f"{file}.pt2") as archive:
            for name in archive.namelist():
                for path in (str(pathlib.Path(__file__).parent), "site-packages", "networks.py"):
                    check(path.encode() not in archive.read(name), f"{file}: {name} holds {path}")
            about = json.loads(archive.read(f"{file}/extra/retort.json"))
            check(about["modes"] == ["train", "evaluate"] and about["main"] == "train", str(about))


def check_constants(folder):
    """Of numbers that differ between the modes each graph finds its own."""
    with zipfile.ZipFile(folder / "odd.pt2") as archive:
        graph = json.loads(archive.read("odd/extra/retort_eval.json"))["graph_module"]
        known = json.loads(archive.read("odd/data/constants/model_constants_config.json"))["config"]
        named = [spec["tensor_constant"]["tensor_constant_name"]
                 for spec in graph["signature"]["input_specs"] if "tensor_constant" in spec]
        check(named and all(name in known for name in named), f"evaluation reads {named} of {list(known)}")
        values = {archive.read("odd/data/constants/" + one["path_name"]) for one in known.values()}
        check(len(values) == len(known) > len(named), "the modes have one number")


def check_refusals(folder):
    file = str(folder / "choosing.pt2")
    for example in (None, torch.tensor(1.0), torch.zeros(0, 4), (torch.zeros(2, 4), None)):
        try:
            retort_export.save(nn.Linear(4, 4), example, file)
            check(False, f"{example} was taken for an example")
        except TypeError as reason:
            check("one sample or more; found" in str(reason), str(reason))
    try:
        retort_export.save(Choosing(), torch.randn(2, 3, 2, 2), file)
        check(False, "a choice that depends on a number was exported")
    except RuntimeError as reason:
        check("training mode" in str(reason) and "train=False" in str(reason), str(reason))
    retort_export.save(Choosing(), torch.randn(2, 3, 2, 2), file, train=False)


def check_all(folder):
    check_leaves_alone(folder)
    check_file(folder)
    check_constants(folder)
    check_refusals(folder)


if __name__ == "__main__":
    check_all(pathlib.Path(sys.argv[1]))
