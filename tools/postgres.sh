#!/usr/bin/env bash
# postgres.sh FOLDER: makes the empty PostgreSQL cluster that the local environment copies at each start.
set -euo pipefail
cd "$(dirname "$0")/.."

.venv/bin/python -m simulators.postgres "$1"
