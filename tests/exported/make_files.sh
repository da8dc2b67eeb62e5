#!/usr/bin/env bash
# Writes the exported networks that tests read, once for each version of what makes them, and checks
# retort_export.py on the way. 77: this Python has no torch.
# Usage: make_files.sh PYTHON FOLDER
set -euo pipefail
python=$1 folder=$2
here=$(cd "$(dirname "$0")" && pwd)
[[ -x $python ]] && "$python" -c 'import torch' 2>/dev/null || { echo "no torch in $python"; exit 77; }

sources=("$here"/*.py "$here/../../sdk/python/retort_export.py")
made_by=$("$python" -c 'import torch; print(torch.__version__)' 2>/dev/null; cat "${sources[@]}" | sha256sum)
[[ -f $folder/whole && $(<"$folder/whole") == "$made_by" ]] && exit 0
rm -rf "$folder"
# One process: the first export of each takes seconds.
"$python" -W ignore "$here/make_files.py" "$folder"
printf '%s' "$made_by" > "$folder/whole"  # last: without it the rest is half done
