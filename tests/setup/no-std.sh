#!/usr/bin/env bash
# Compiles core for a machine that has no standard library at all: the proof that it is no_std.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

target=x86_64-unknown-none
"$ROOT/tests/setup/target.sh" "$target" core,alloc
. "$CACHE/$target.env.sh"
cd "$ROOT"
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/no-std cargo check --locked --package rollsnap-core --target "$target"
say "rollsnap-core compiles for $target, with core and alloc alone"
