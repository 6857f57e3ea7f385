# What the set-up scripts share. Sourced by bash, never run.
#
# Everything that they fetch or build is kept in one cache directory, so that a second run is quick
# and a clean clone costs nothing. Nothing is written outside it except Debian packages, a rustup
# target or component, and the link tests/node_modules.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/rollsnap
mkdir -p "$CACHE"

say() { printf '    %s\n' "$*" >&2; }

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# at_least FOUND WANTED: whether the version FOUND is WANTED or newer.
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# The oldest compiler that the workspace promises to build with.
wanted_rust() { sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml"; }

# locked_version CRATE: the version that Cargo.lock holds.
locked_version() { sed -n "/^name = \"$1\"\$/{n;s/^version = \"\\(.*\\)\"/\\1/p;}" "$ROOT/Cargo.lock"; }

# One set-up at a time: two runs must not fill the cache together.
lock_cache() {
    have flock || return 0
    exec 9>"$CACHE/lock"
    flock -n 9 || { say "waiting for another run that uses $CACHE" && flock 9; }
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif have sudo; then
        # Without a terminal nobody could type a password: fail instead of hanging.
        if [ -t 0 ]; then sudo "$@"; else sudo -n "$@"; fi
    else
        say "not root and there is no sudo: cannot run: $*"
        return 1
    fi
}

# Package lists are fetched once a run at most, and only if something is missing.
apt_update() {
    have apt-get || { say "this is no Debian or Ubuntu: there is no apt-get" && return 1; }
    [ -z "${ROLLSNAP_APT_UPDATED:-}" ] || return 0
    say "apt-get update"
    as_root apt-get update -qq >"$CACHE/apt.log" 2>&1 9>&- || say "apt-get update failed ($CACHE/apt.log); trying with the lists that are there"
    export ROLLSNAP_APT_UPDATED=1
}

# The version that apt would install, or nothing.
apt_version() { apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: \(.*\)/\1/p' | grep -v '(none)' || true; }

apt_install() {
    apt_update || return 1
    say "apt-get install $*"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" \
        >>"$CACHE/apt.log" 2>&1 9>&- || {
        tail -n 5 "$CACHE/apt.log" >&2
        return 1
    }
}

# need COMMAND PACKAGE...: the command, from these packages when it is missing.
need() {
    have "$1" && return 0
    apt_install "${@:2}" && hash -r && have "$1" || die "$1 is needed and could not be installed (Debian: ${*:2})"
}

# tool CRATE VERSION COMMAND: installs one version of a tool beside its other versions, sets `bin`.
tool() {
    bin=$CACHE/tools/$1-$2/bin
    [ ! -x "$bin/$3" ] || return 0
    say "cargo install $1 $2 (some minutes, once)"
    local log=$CACHE/$1.log locked
    # They run for seconds: what optimising them costs would never come back.
    local quick=(CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off
        CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=none)
    # The lock file of a release can name versions that a registry no longer has: then without it.
    for locked in --locked ''; do
        env -u RUSTFLAGS -u CARGO_TARGET_DIR "${quick[@]}" cargo install "$1" --version "$2" $locked --root "${bin%/bin}" >"$log" 2>&1 9>&- && return 0
    done
    tail -n 5 "$log" >&2
    die "$1 $2 could not be installed"
}

# Node 20 or newer with npm on PATH: the machine's own, Debian's, or the binary that npm carries.
need_node() {
    local wanted=20 arch
    have npm || apt_install nodejs npm || die "npm is needed and could not be installed (Debian: nodejs npm)"
    hash -r
    at_least "$(node --version | tr -d v)" "$wanted" && return 0
    case $(uname -m) in
        x86_64) arch=x64 ;;
        aarch64) arch=arm64 ;;
        *) die "Node $wanted or newer is needed; here is $(node --version) and npm carries none for $(uname -m)" ;;
    esac
    if [ ! -x "$CACHE/node/node_modules/node-linux-$arch/bin/node" ]; then
        say "Node here is $(node --version): taking node-linux-$arch@22 from npm"
        npm install --silent --no-audit --no-fund --prefix "$CACHE/node" "node-linux-$arch@22" >&2 ||
            die "Node $wanted or newer is needed; here is $(node --version) and npm's could not be installed"
    fi
    npm_node=$CACHE/node/node_modules/node-linux-$arch/bin
    PATH=$npm_node:$PATH
    hash -r
}

# What brings the Node of need_node to a script that has not called it.
node_path() { [ -z "${npm_node:-}" ] || printf 'export PATH=%q:"$PATH"\n' "$npm_node"; }
