#!/usr/bin/env python3
"""Prints how long quick commands of retort take: its version, a file with a mistake, `check` of files.

    tests/benchmarks/start.py build/release/bin/retort

Each round runs every command once. The table gives medians over the rounds: wall time, processor
time of all threads, and the wall time beyond that of `retort --version` in the same round, which is
LibTorch's own start. CIFAR-100's place is taken by files of its size with random pixels, made in a
temporary folder. It judges nothing.
"""
import argparse
import os
import pathlib
import random
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PIXELS = 3 * 32 * 32


def write_cifar100(folder):
    """train.bin and test.bin as in CIFAR-100's binary version: coarse label, fine label, pixels."""
    noise = random.Random(1)
    for name, count in (("train.bin", 50000), ("test.bin", 10000)):
        with open(folder / name, "wb") as out:
            for _ in range(count):
                fine = noise.randrange(100)
                out.write(bytes((fine // 5, fine)) + noise.randbytes(PIXELS))


def commands(args, folder):
    """What is shown -> (the arguments, the exit code that they must give)."""
    fashion = ROOT / "experiments/fashion_kd.toml"
    threads = [f"run.threads={args.threads}"] if args.threads else []
    data = [f"data.root={args.fashion}"] if args.fashion else []
    cifar = [f"data.root={folder}"]
    return {
        "retort --version": (["--version"], 0),
        "retort ls": (["ls"], 0),
        "check, a key misspelt": (["check", fashion, "student.dept=14"], 2),
        "check, no such data": (["check", fashion, f"data.root={folder}/none"], 3),
        "check fashion_kd.toml": (["check", fashion, *threads, *data], 0),
        "check fashion_three.toml":
            (["check", ROOT / "experiments/fashion_three.toml", *threads, *data], 0),
        "check cifar100/r56_r20.toml":
            (["check", ROOT / "experiments/cifar100/r56_r20.toml", *threads, *cifar], 0),
        "check cifar100/wrn40_2_wrn16_2.toml":
            (["check", ROOT / "experiments/cifar100/wrn40_2_wrn16_2.toml", *threads, *cifar], 0),
    }


def measure(program, arguments, wanted):
    """Wall and processor seconds of one run."""
    command = [str(part) for part in (program, *arguments)]
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    told = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != wanted:
        raise SystemExit(f"{' '.join(command)}: exit code {child.returncode}, not {wanted}:\n{told}")
    return wall, usage.ru_utime + usage.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("retort", help="the built program")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=0, help="of training; default: the cores")
    parser.add_argument("--fashion", help="folder of Fashion-MNIST, where it is not Debian's")
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_cifar100(folder)
        rows = commands(args, folder)
        for arguments, wanted in rows.values():
            measure(args.retort, arguments, wanted)  # files come into memory
        rounds = [{name: measure(args.retort, *row) for name, row in rows.items()}
                  for _ in range(args.rounds)]

    print(f"{'':38}{'wall s':>8}{'beyond':>9}{'processor s':>13}{'least wall':>12}")
    for name in rows:
        wall = [times[name][0] for times in rounds]
        beyond = statistics.median(times[name][0] - times["retort --version"][0] for times in rounds)
        processor = statistics.median(times[name][1] for times in rounds)
        print(f"{name:38}{statistics.median(wall):8.2f}{beyond:9.2f}{processor:13.2f}"
              f"{min(wall):12.2f}")


if __name__ == "__main__":
    main()
