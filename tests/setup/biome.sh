#!/usr/bin/env bash
# Holds JavaScript, TypeScript, JSON and the page's CSS to biome.jsonc: form, lint, order of imports. --write formats, and
# mends what can be mended safely.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

"$ROOT/tests/setup/npm.sh"
need_node
biome=$ROOT/tests/node_modules/.bin/biome
# What it writes down belongs into the cache like everything else.
export XDG_CACHE_HOME=$CACHE
# The program itself is in a package of its platform, which npm leaves out without a word if it cannot have it.
version=$("$biome" --version 2>"$CACHE/biome.log") || {
    grep -m 1 Error "$CACHE/biome.log" >&2 || tail -n 5 "$CACHE/biome.log" >&2
    die "Biome does not start; its package for $(uname -m) may be missing below $ROOT/tests/node_modules/@biomejs ($CACHE/biome.log)"
}
cd "$ROOT"
"$biome" check --error-on-warnings "$@" ||
    die "what is above breaks the rules of biome.jsonc; tests/setup/biome.sh --write mends what can be mended safely"
say "${version/Version:/Biome}: formatted and free of findings"
