#!/usr/bin/env python3
"""Compares the distillation step of retort with two PyTorch loops, in interleaved rounds.

    tests/benchmarks/compare.py build/release/bin/retort --python build/libtorch/bin/python3

Every contender starts from the same teacher and student weights and gets the same threads, batch,
recipe, malloc settings and waiting policy. Each round runs every contender once; the table gives
medians over the rounds, and the median of the rounds' own ratios to the tuned loop.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
EXPERIMENT = HERE / "kd_fashion.toml"
# glibc keeps freed memory, as our program's main() asks for; threads wait without spinning.
ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
               "MALLOC_TOP_PAD_": str(64 << 20), "OMP_WAIT_POLICY": "PASSIVE"}


def output_of(command):
    done = subprocess.run([str(part) for part in command], check=True, text=True,
                          stdout=subprocess.PIPE, env={**os.environ, **ENVIRONMENT})
    return json.loads(done.stdout)


def contenders(args, start):
    """Name -> a command that prints images_per_s, first_step_s and peak_rss_mib as JSON."""
    retort = [args.retort, "--json", "bench", EXPERIMENT, f"run.threads={args.threads}",
              f"run.device=\"{args.device}\"", "--phase", "distil", "--steps", args.steps, "--warmup", args.warmup]
    script = ["--teacher", start / "teacher.safetensors", "--student-init",
              start / "student_start.safetensors", "--steps", args.steps, "--warmup", args.warmup,
              "--threads", args.threads, "--device", args.device]
    return {"retort": retort,
            "PyTorch, tuned": [args.python, HERE / "python/kd_tuned.py", *script],
            "PyTorch, plain": [args.python, HERE / "python/kd_plain.py", *script]}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("retort", help="the built program")
    parser.add_argument("--python", default="python3", help="a Python with torch")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--warmup", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    args = parser.parse_args()

    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        start = pathlib.Path(folder)
        output_of([args.retort, "--json", "bench", EXPERIMENT, "--phase", "distil", "--steps", 1,
                   "--warmup", 0, "--export", start])
        for _ in range(args.rounds):
            for name, command in contenders(args, start).items():
                answer = output_of(command)
                figures.setdefault(name, []).append(answer[0] if isinstance(answer, list) else answer)

    tuned = [row["images_per_s"] for row in figures["PyTorch, tuned"]]
    print(f"{'':16}{'images/s':>10}{'to tuned':>10}{'first step s':>14}{'peak MiB':>10}")
    for name, rows in figures.items():
        speed = [row["images_per_s"] for row in rows]
        ratio = statistics.median(mine / other for mine, other in zip(speed, tuned))
        first = statistics.median(row["first_step_s"] for row in rows)
        memory = statistics.median(row["peak_rss_mib"] for row in rows)
        print(f"{name:16}{statistics.median(speed):10.0f}{ratio:10.2f}{first:14.2f}{memory:10.0f}")


if __name__ == "__main__":
    main()
