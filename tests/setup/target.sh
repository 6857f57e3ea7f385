#!/usr/bin/env bash
# target.sh TARGET CRATES: makes a Rust target usable and writes $CACHE/TARGET.env.sh, to be sourced
# before cargo builds for it. CRATES are what to build of the standard library when it has to be
# built here ("std,panic_abort" or "core,alloc").
#
# Three ways, the first that works is taken (ROLLSNAP_ROUTE=rustup|rust-src|debian insists on one):
#   rustup    the target's ready-made library, there already or by `rustup target add`;
#   rust-src  the library is built from the sources that came with the compiler;
#   debian    compiler, cargo and sources are Debian packages, the library is built from them.
# A library that was built here lies in a sysroot of its own in the cache, so nothing of the
# compiler's installation is touched.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
lock_cache

target=$1
crates=$2
env_file=$CACHE/$target.env.sh
route=${ROLLSNAP_ROUTE:-any}
why=()

rejected() { why+=("$1: $2"); }

# Whether the compiler $1 has the core library of the target ready.
has_library() {
    local dir
    dir=$("$1" --print target-libdir --target "$target" 2>/dev/null) && ls "$dir"/libcore-*.rlib >/dev/null 2>&1
}

version_of() { "$1" --version | cut -d ' ' -f 2 | cut -d - -f 1; }

new_enough() { at_least "$(version_of "$1")" "$(wanted_rust)"; }

# build_library RUSTC CARGO: builds the target's library once and sets `sysroot`.
build_library() {
    local rustc=$1 cargo=$2 stamp work home
    stamp=$("$rustc" --version --verbose | sha256sum | cut -c 1-16)
    sysroot=$CACHE/sysroot/$target-$stamp
    [ ! -e "$sysroot/done" ] || return 0
    say "building $crates for $target with $rustc $(version_of "$rustc")"
    work=$CACHE/sysroot/work
    rm -rf "$work" "$sysroot"
    mkdir -p "$work/src" "$sysroot/lib/rustlib/$target/lib"
    printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n' >"$work/Cargo.toml"
    printf '#![no_std]\n' >"$work/src/lib.rs"
    # RUSTC_BOOTSTRAP: -Z options on a stable compiler.
    if ! (cd "$work" && env -u RUSTFLAGS -u CARGO_TARGET_DIR RUSTC="$rustc" RUSTC_BOOTSTRAP=1 \
        "$cargo" build --release -Zbuild-std="$crates" --target "$target") >"$CACHE/sysroot.log" 2>&1; then
        tail -n 5 "$CACHE/sysroot.log" >&2
        return 1
    fi
    find "$work/target/$target/release/deps" -name '*.rlib' ! -name 'libempty-*' \
        -exec cp {} "$sysroot/lib/rustlib/$target/lib/" \;
    rm -rf "$work"
    # A compiler that takes this for its home: the host's own library is linked beside.
    home=$("$rustc" --print sysroot)
    find "$home/lib/rustlib" -mindepth 1 -maxdepth 1 ! -name "$target" -exec ln -s {} "$sysroot/lib/rustlib/" \;
    mkdir "$sysroot/bin"
    printf '#!/bin/sh\nexec %q --sysroot %q "$@"\n' "$rustc" "$sysroot" >"$sysroot/bin/rustc"
    chmod +x "$sysroot/bin/rustc"
    ln -s "$cargo" "$sysroot/bin/cargo"
    touch "$sysroot/done"
}

# write_env SYSROOT LINKER: none, when the compiler has all it needs itself.
write_env() {
    local name=CARGO_TARGET_${target^^}
    {
        [ -z "${1:-}" ] || printf 'export PATH=%q:"$PATH" RUSTC=%q\n' "$1/bin" "$1/bin/rustc"
        [ -z "${2:-}" ] || printf 'export %s_LINKER=%q\n' "${name//-/_}" "$2"
    } >"$env_file"
}

took() {
    say "$target: $1"
    exit 0
}

by_rustup() {
    have rustc || { rejected rustup "there is no rustc" && return 1; }
    new_enough rustc || { rejected rustup "rustc is $(version_of rustc), older than $(wanted_rust)" && return 1; }
    if ! has_library rustc; then
        have rustup || { rejected rustup "rustc has no library for the target and there is no rustup" && return 1; }
        timeout 180 rustup target add "$target" >"$CACHE/rustup.log" 2>&1 9>&- && has_library rustc || {
            rejected rustup "rustup target add failed: $(tail -n 1 "$CACHE/rustup.log")"
            return 1
        }
    fi
    write_env
    took "ready-made library of rustc $(version_of rustc) (rustup target)"
}

by_rust_src() {
    local sysroot
    have rustc && new_enough rustc || { rejected rust-src "no rustc of $(wanted_rust) or newer" && return 1; }
    [ -e "$(rustc --print sysroot)/lib/rustlib/src/rust/library/core/src/lib.rs" ] || {
        rejected rust-src "rustc $(version_of rustc) came without its library's sources"
        return 1
    }
    build_library "$(rustc --print sysroot)/bin/rustc" "$(command -v cargo)" || { rejected rust-src "the library does not build" && return 1; }
    write_env "$sysroot"
    took "library built from the sources of rustc $(version_of rustc)"
}

installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q '^install ok installed'; }

# rustc-web is the current compiler that Debian keeps in its stable releases for its browsers.
by_debian() {
    local sysroot suffix offered lld='' version linker=''
    for suffix in -web '' none; do
        [ "$suffix" != none ] || return 1
        installed "rustc$suffix" || apt_update || { rejected debian "apt-get cannot be used here" && return 1; }
        offered=$(apt_version "rustc$suffix")
        [ -z "$offered" ] || ! at_least "${offered%%[+-]*}" "$(wanted_rust)" || break
        rejected debian "rustc$suffix is ${offered:-not offered}, wanted $(wanted_rust)"
    done
    if [[ $target == wasm32-* ]]; then
        for version in -22 -21 -20 -19 -18 ''; do
            [ -z "$(apt_version "lld$version")" ] || break
        done
        lld=lld$version
        linker=/usr/bin/wasm-ld$version
    fi
    local package missing=()
    for package in "rustc$suffix" "cargo$suffix" "rust$suffix-src" $lld; do
        installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] || apt_install "${missing[@]}" || {
        rejected debian "apt-get install ${missing[*]} failed"
        return 1
    }
    build_library /usr/bin/rustc /usr/bin/cargo || { rejected debian "the library does not build" && return 1; }
    write_env "$sysroot" "$linker"
    took "library built with Debian's rustc$suffix $(version_of /usr/bin/rustc)"
}

case $route in
    rustup) by_rustup ;;
    rust-src) by_rust_src ;;
    debian) by_debian ;;
    any) by_rustup || by_rust_src || by_debian ;;
    *) die "ROLLSNAP_ROUTE is $route; it can be rustup, rust-src or debian" ;;
esac || true

printf 'error: no way to build for %s:\n' "$target" >&2
printf '  %s\n' "${why[@]}" >&2
exit 1
