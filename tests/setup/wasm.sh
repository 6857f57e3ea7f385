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

# tool CRATE VERSION COMMAND: installs one version of a tool beside its other versions, sets `bin`.
tool() {
    bin=$CACHE/tools/$1-$2/bin
    [ ! -x "$bin/$3" ] || return 0
    say "cargo install $1 $2 (some minutes, once)"
    local log=$CACHE/$1.log locked
    # The lock file of a release can name versions that a registry no longer has: then without it.
    for locked in --locked ''; do
        env -u RUSTFLAGS -u CARGO_TARGET_DIR cargo install "$1" --version "$2" $locked --root "${bin%/bin}" >"$log" 2>&1 9>&- && return 0
    done
    tail -n 5 "$log" >&2
    die "$1 $2 could not be installed"
}

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
