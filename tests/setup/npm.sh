#!/usr/bin/env bash
# Installs the npm tools of tests/package.json into the cache and links them as tests/node_modules,
# where Node looks for them.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
lock_cache
need_node

manifest=$ROOT/tests/package.json
place=$CACHE/npm/$(sha256sum "$manifest" | cut -c 1-16)
if [ ! -e "$place/done" ]; then
    say "npm install: $(sed -n 's/^ *"\(.*\)": "\([0-9.]*\)",*$/\1@\2/p' "$manifest" | tr '\n' ' ')"
    rm -rf "$place" && mkdir -p "$place"
    cp "$manifest" "$place/"
    # Downloads of the packages' own install scripts (browsers) are not wanted.
    log=$CACHE/npm.log
    npm install --prefix "$place" --ignore-scripts --no-audit --no-fund --no-package-lock >"$log" 2>&1 9>&- || {
        grep -m 3 '^npm error' "$log" >&2 || tail -n 5 "$log" >&2
        die "the npm tools of tests/package.json could not be installed ($log)"
    }
    touch "$place/done"
fi
if [ "$(readlink "$ROOT/tests/node_modules" || true)" != "$place/node_modules" ]; then
    rm -rf "$ROOT/tests/node_modules"
    ln -s "$place/node_modules" "$ROOT/tests/node_modules"
fi
