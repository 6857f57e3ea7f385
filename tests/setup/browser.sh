#!/usr/bin/env bash
# Makes what the browser tests need: Node, playwright-core and axe-core (tests/package.json), and a
# Chromium. Writes $CACHE/browser.env.sh with its path as CHROMIUM.
#
# A Chromium that is there, or named by CHROMIUM, is taken; else Debian's package; else (Ubuntu,
# whose package is a snap) playwright's own download.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$ROOT/tests/setup/npm.sh"
lock_cache
need_node

# A wrapper of a snap answers without a browser behind it: only one that tells its version counts.
works() { timeout 30 "$1" --version >/dev/null 2>&1; }

find_chromium() {
    local name
    for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
        if [ -n "$name" ] && have "$name" && works "$name"; then
            command -v "$name"
            return 0
        fi
    done
    find "$CACHE/browsers" -type f -perm -u+x \( -name chrome -o -name headless_shell -o -name chrome-headless-shell \) 2>/dev/null | grep -m 1 .
}

if ! chromium=$(find_chromium); then
    if apt_update && [ -n "$(apt_version chromium)" ]; then
        apt_install chromium fonts-liberation || die "Debian's chromium could not be installed ($CACHE/apt.log)"
    else
        say "no chromium package here: playwright's own download"
        as_root env PATH="$PATH" node "$ROOT/tests/node_modules/playwright-core/cli.js" install-deps chromium >"$CACHE/browser.log" 2>&1 || true
        PLAYWRIGHT_BROWSERS_PATH=$CACHE/browsers node "$ROOT/tests/node_modules/playwright-core/cli.js" \
            install chromium-headless-shell >>"$CACHE/browser.log" 2>&1 || true
    fi
    hash -r
    chromium=$(find_chromium) || die "no Chromium: none installed, no package, no download ($CACHE/browser.log); set CHROMIUM to one"
fi
{
    node_path
    printf 'export CHROMIUM=%q\n' "$chromium"
} >"$CACHE/browser.env.sh"
say "$("$chromium" --version 2>/dev/null | head -n 1) ($chromium)"
