#!/usr/bin/env bash
# Holds the dependencies to deny.toml: licences, bans and sources always; known advisories where their database, a
# git repository, can be fetched.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
lock_cache

version=0.20.2
if have cargo-deny && [ "$(cargo-deny --version)" = "cargo-deny $version" ]; then
    say "cargo-deny $version is installed"
else
    tool cargo-deny "$version" cargo-deny
    PATH=$bin:$PATH
fi
cd "$ROOT"
log=$CACHE/deny.log
# Both versions of a crate that is there twice are in the log, not on the screen.
deny() { cargo-deny --locked "$@" >"$log" 2>&1 9>&-; }

deny check licenses bans sources || {
    cat "$log" >&2
    die "a dependency is not allowed by deny.toml"
}
say "licences, bans and sources are as deny.toml says"

if ! deny fetch db; then
    say "advisories not checked: their database cannot be fetched here ($(grep -m 1 fatal "$log" || tail -n 1 "$log"))"
elif deny check --disable-fetch advisories; then
    say "no advisory concerns these dependencies"
else
    cat "$log" >&2
    die "an advisory concerns a dependency"
fi
