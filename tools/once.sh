#!/usr/bin/env bash
# once.sh FOLDER INPUT... SCRIPT: runs SCRIPT FOLDER, unless it already filled FOLDER from these very inputs.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$1
script=${*: -1}
stamp=$folder/.made-from
made_from=$(cat "${@:2}" | cksum)

if [[ -f $stamp && $(<"$stamp") == "$made_from" ]]; then exit 0; fi
"$script" "$folder"
# No folder means the script did without, and has said so: it is asked again next time.
if [[ -d $folder ]]; then echo "$made_from" >"$stamp"; fi
