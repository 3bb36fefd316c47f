#!/usr/bin/env bash
# Resolves the pinned versions anew: requirements.lock from pyproject.toml, the Node lock from tools/node/package.json.
set -euo pipefail
cd "$(dirname "$0")/.."

# uv resolves; it is no part of the product, so it lives apart.
if [[ ! -x .tools/uv/bin/uv ]]; then
    "${PYTHON:-python3.11}" -m venv .tools/uv
    .tools/uv/bin/python -m pip install --quiet --disable-pip-version-check uv
fi
.tools/uv/bin/uv pip compile --quiet --upgrade --python-version 3.11 --generate-hashes --no-header --no-annotate \
    --no-emit-index-url --no-emit-find-links --group local --group dev --group load pyproject.toml --output-file requirements.lock

cd tools/node
rm -f package-lock.json
npm install --package-lock-only --ignore-scripts --loglevel=error
# Who may be paid for a package is no part of what is installed, and it is the only address npm leaves in the lock.
node - <<'JS'
const fs = require("fs");
const lock = JSON.parse(fs.readFileSync("package-lock.json", "utf8"));
for (const entry of Object.values(lock.packages)) delete entry.funding;
fs.writeFileSync("package-lock.json", JSON.stringify(lock, null, 2) + "\n");
JS
if grep -nE '"resolved"|https?://' package-lock.json; then
    echo "tools/node/package-lock.json: names a host, as above; a lock must not" >&2
    exit 1
fi
