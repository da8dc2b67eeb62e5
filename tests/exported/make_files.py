"""Checks retort_export.py, and writes the exported networks that the default tests read.

    python3 make_files.py FOLDER
"""
import pathlib
import sys

import export_test
import make_reference
from networks import NETWORKS

PLAIN = ("resnet", "mobilenet", "vit_rand")
ALONE = ("language", "encoder", "recurrent", "odd")


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    export_test.check_all(folder)
    for name in PLAIN + ALONE:
        make_reference.write_network(folder, name, NETWORKS[name], with_plain=name in PLAIN)


if __name__ == "__main__":
    main()
