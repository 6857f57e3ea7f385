#!/usr/bin/env bash
# Makes what builds the npm package: the wasm32 target, wasm-pack, wasm-bindgen of the version in
# Cargo.lock, Node, and wasm-opt from npm. Writes $CACHE/wasm.env.sh, which web/build sources.
#
# Debian's wasm-opt (108) is not used: it breaks the table of references without a word.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

wasm_pack=0.15.1
target=wasm32-unknown-unknown

"$ROOT/tests/setup/npm.sh"
"$ROOT/tests/setup/target.sh" "$target" std,panic_abort
lock_cache
need_node
need cc gcc libc6-dev

tool wasm-pack "$wasm_pack" wasm-pack
path=$bin
tool wasm-bindgen-cli "$(locked_version wasm-bindgen)" wasm-bindgen
path=$path:$bin

{
    node_path
    printf 'export PATH=%q:"$PATH"\n' "$path"
    cat "$CACHE/$target.env.sh"
    printf 'export WASM_OPT=%q\n' "$ROOT/tests/node_modules/binaryen/bin/wasm-opt"
} >"$CACHE/wasm.env.sh"
say "wasm-pack $wasm_pack, wasm-bindgen $(locked_version wasm-bindgen)"
