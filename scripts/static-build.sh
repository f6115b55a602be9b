#!/bin/sh
# Builds programs that are linked statically, the C library included, for this or the other platform.
#
#   scripts/static-build.sh prepare ARCH                              installs a compiler for that platform, as root
#   scripts/static-build.sh build ARCH PROFILE PROGRAM OUT [CARGO…]   `cargo build --locked …`, the program into OUT
#   scripts/static-build.sh trained ARCH PROFILE PROGRAM OUT [CARGO…] the same, guided by profiles: faster by a tenth or
#                                                                     more. PROGRAM is portcullis or benches
#
# "trained" builds three times (the load, a program that counts, the program), so it takes three times as long. It needs
# llvm-profdata (`rustup component add llvm-tools`) and runs what it builds, so there is none for another platform.
#
# ARCH is amd64 or arm64; empty is this machine's. The C library is glibc, whose static form resolves names
# by /etc/hosts and DNS alone, as a container's do.
set -eu

die() { echo "static-build: $*" >&2; exit 2; }
# The profile's place has to be a whole path.
target="$(realpath -m "${CARGO_TARGET_DIR:-target}")"

here() {
    case "$(uname -m)" in
    x86_64) echo amd64 ;;
    aarch64) echo arm64 ;;
    *) die "unsupported machine: $(uname -m) (amd64 and arm64 are known)" ;;
    esac
}

platform() { # platform ARCH: sets arch, triple and gcc
    arch="${1:-$(here)}"
    case "$arch" in
    amd64) triple=x86_64-unknown-linux-gnu gcc=x86_64-linux-gnu-gcc package=gcc-x86-64-linux-gnu ;;
    arm64) triple=aarch64-unknown-linux-gnu gcc=aarch64-linux-gnu-gcc package=gcc-aarch64-linux-gnu ;;
    *) die "unknown platform: $arch (amd64, arm64)" ;;
    esac
}

build() { # build FLAGS [CARGO…]: leaves the program where $built says
    if [ "$arch" != "$(here)" ]; then
        # cargo's and the cc crate's own names for "the compiler for that platform".
        export "CARGO_TARGET_$(echo "$triple" | tr 'a-z-' 'A-Z_')_LINKER=$gcc"
        export "CC_$(echo "$triple" | tr '-' '_')=$gcc"
    fi
    # With --target, the flags are for the program and not for what helps to build it.
    static="$1 -C target-feature=+crt-static"
    shift
    RUSTFLAGS="$static" \
        cargo build --locked --target "$triple" --profile "$profile" --bin "$program" "$@"
    folder="$profile"
    [ "$profile" != dev ] || folder=debug
    built="$target/$triple/$folder/$program"
}

train() { # train [CARGO…]: leaves the counts in the file $counts
    # The load would take the program that it names.
    unset PORTCULLIS
    [ "$arch" = "$(here)" ] || die "$program for $arch cannot be trained on $(here), where it does not run: use build"
    profdata="$(dirname "$(rustc --print target-libdir)")/bin/llvm-profdata"
    [ -x "$profdata" ] || die "llvm-profdata is missing: rustup component add llvm-tools"
    case "$program" in
    portcullis | benches) ;;
    *) die "nothing is known that $program could be trained with: use build" ;;
    esac
    training="$target/training/$program"
    rm -rf "$training"
    mkdir -p "$training"
    build "${RUSTFLAGS:-} -C profile-generate=$training/counts" "$@"
    cp "$built" "$training/$program"
    if [ "$program" = benches ]; then
        "$training/benches" train
        # What it is compared with that is built alike.
        "$training/benches" peers --only pingora --cases h1-1k,h1-100k,tls-1k,tls-100k,h2-1k,h2-100k \
            --turns 2 --requests 2000 --patience 0 >"$training/peers.txt"
    else
        cargo run --locked -p benches -- train --proxy "$training/$program"
    fi
    "$profdata" merge -o "$training/merged" "$training/counts"
    # cargo does not build a dependency again because a file has changed that a flag names.
    counts="$training/$(cksum <"$training/merged" | tr ' ' -).profdata"
    mv "$training/merged" "$counts"
}

case "${1:-}" in
prepare)
    platform "${2:-}"
    [ "$arch" != "$(here)" ] || exit 0
    apt-get update -q
    apt-get install -y -q --no-install-recommends "$package" "libc6-dev-$arch-cross"
    rm -rf /var/lib/apt/lists/*
    rustup target add "$triple"
    ;;
build | trained)
    [ $# -ge 5 ] || die "$1 ARCH PROFILE PROGRAM OUT [CARGO…]"
    platform "$2"
    how="$1" profile="$3" program="$4" out="$5"
    shift 5
    flags="${RUSTFLAGS:-}"
    if [ "$how" = trained ]; then
        train "$@"
        flags="$flags -C profile-use=$counts"
    fi
    build "$flags" "$@"
    mkdir -p "$out"
    cp "$built" "$out/$program"
    ;;
*)
    die "usage: prepare ARCH, or build|trained ARCH PROFILE PROGRAM OUT [CARGO…]"
    ;;
esac
