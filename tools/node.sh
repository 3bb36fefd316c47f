#!/usr/bin/env bash
# node.sh FOLDER: puts the Node programs of tools/node (allure, wrangler) into FOLDER. A run does without them, and says so.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$1
rm -rf "$folder"

without() {
    rm -rf "$folder"
    echo "$1 There will be no Allure report, and nothing is proved against wrangler; all else works." >&2
    exit 0
}

command -v npm >/dev/null || without "npm was not found: install Node 20 or newer."
echo "Installing the Node programs into $folder"
mkdir -p "$folder"
cp tools/node/package.json tools/node/package-lock.json tools/node/.npmrc "$folder/"
# The packages' install scripts only fetch what other platforms need: they do not run.
(cd "$folder" && npm ci --ignore-scripts --loglevel=error) || without "npm could not install tools/node/package-lock.json."
