#!/usr/bin/env bash
# Makes what the browser tests need: Node, playwright-core and axe-core (tests/package.json), a Chromium
# and a Firefox. Writes $CACHE/browser.env.sh with their paths as CHROMIUM and FIREFOX.
#
# A Chromium that is there, or named by CHROMIUM, is taken; else Debian's package; else (Ubuntu,
# whose package is a snap) playwright's own download. A Firefox that is there, or named by FIREFOX, is
# taken; else Debian's package. playwright's own is another program, so where there is neither, FIREFOX is
# empty and the tests in Firefox are skipped.
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
find_firefox() {
    local name
    for name in "${FIREFOX:-}" firefox-esr firefox; do
        if [ -n "$name" ] && have "$name" && works "$name"; then
            command -v "$name"
            return 0
        fi
    done
    return 1
}

if ! firefox=$(find_firefox); then
    if apt_update && [ -n "$(apt_version firefox-esr)" ]; then
        apt_install firefox-esr || die "Debian's firefox-esr could not be installed ($CACHE/apt.log)"
        hash -r
        firefox=$(find_firefox) || die "firefox-esr does not start"
    else
        say "no Firefox here and no package firefox-esr: the tests in Firefox are skipped; set FIREFOX to one"
    fi
fi
{
    node_path
    printf 'export CHROMIUM=%q FIREFOX=%q\n' "$chromium" "$firefox"
} >"$CACHE/browser.env.sh"
say "$("$chromium" --version 2>/dev/null | head -n 1) ($chromium)"
[ -z "$firefox" ] || say "$("$firefox" --version 2>/dev/null | head -n 1) ($firefox)"
