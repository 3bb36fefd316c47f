#!/usr/bin/env bash
# Finds a browser, or installs one: an existing Chrome or Chromium, else Playwright's own, else the system's package.
set -euo pipefail
cd "$(dirname "$0")/.."

find_browser() { .venv/bin/python -m fixtures.browser_program; }

starts() {
    local program
    program=$(find_browser 2>/dev/null) && "$program" --version >/dev/null 2>&1
}

install_package() {
    command -v apt-get >/dev/null || return 1
    local root=()
    if [[ $(id -u) != 0 ]]; then root=(sudo -n); fi
    "${root[@]}" apt-get update -qq
    local package
    for package in chromium-headless-shell chromium; do
        DEBIAN_FRONTEND=noninteractive "${root[@]}" \
            apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1 && return
    done
    return 1
}

if find_browser >/dev/null 2>&1; then exit 0; fi

if [[ -n ${SHAKEDOWN_BROWSER:-} ]]; then
    find_browser # says what is wrong with the program that was named
fi
echo "No Chrome or Chromium was found. Trying Playwright's own download, then the system's package manager"
.venv/bin/python -m playwright install chromium >/dev/null 2>&1 || true
if starts; then exit 0; fi
install_package || true
if starts; then exit 0; fi

echo "No browser could be installed. Install Chrome or Chromium by hand (Debian: apt-get install chromium)," >&2
echo "or name one: SHAKEDOWN_BROWSER=/path/to/chrome" >&2
exit 1
