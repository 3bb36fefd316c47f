#!/usr/bin/env bash
# python.sh FOLDER: makes the virtual environment FOLDER with exactly the packages of requirements.lock.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$1
rm -f "$folder/.made-from"

candidates=(python3.11 python3.12 python3.13 python3)
if [[ -n ${PYTHON:-} ]]; then candidates=("$PYTHON"); fi
for candidate in "${candidates[@]}"; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [[ -z ${python:-} ]]; then
    echo "${PYTHON:-python3}: no Python 3.11 or newer. Install one, or name it: make tools PYTHON=/path/to/python3.11" >&2
    exit 1
fi

if ! "$python" -m venv "$folder"; then
    echo "$python could not make a virtual environment. On Debian and Ubuntu: apt-get install python3.11-venv" >&2
    exit 1
fi
echo "Installing the Python packages into $folder (about half a minute)"
# Compiling every module takes longer than installing them all; Python compiles what it imports, when it does.
if ! "$folder/bin/python" -m pip install -qq --disable-pip-version-check --no-compile \
    --require-hashes --requirement requirements.lock; then
    echo "pip could not install requirements.lock. Check that your package index is reachable, then run this again." >&2
    exit 1
fi
# Except what each run imports: where PYTHONDONTWRITEBYTECODE is set, each would compile it anew, for some seconds.
packages=$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
"$folder/bin/python" -m compileall -q -j 0 "$packages"/{_pytest,boto3,botocore,django,flask,moto,playwright,werkzeug} \
    environments fixtures judging reports simulators
