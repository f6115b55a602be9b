#!/bin/sh
# Builds programs that are linked statically, the C library included, for this or the other platform.
#
#   scripts/static-build.sh prepare ARCH                              installs a compiler for that platform, as root
#   scripts/static-build.sh build ARCH PROFILE PROGRAM OUT [CARGO…]   `cargo build --locked …`, the program into OUT
#
# ARCH is amd64 or arm64; empty is this machine's. The C library is glibc, whose static form resolves names
# by /etc/hosts and DNS alone, as a container's do.
set -eu

die() { echo "static-build: $*" >&2; exit 2; }

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

case "${1:-}" in
prepare)
    platform "${2:-}"
    [ "$arch" != "$(here)" ] || exit 0
    apt-get update -q
    apt-get install -y -q --no-install-recommends "$package" "libc6-dev-$arch-cross"
    rm -rf /var/lib/apt/lists/*
    rustup target add "$triple"
    ;;
build)
    [ $# -ge 5 ] || die "build ARCH PROFILE PROGRAM OUT [CARGO…]"
    platform "$2"
    profile="$3" program="$4" out="$5"
    shift 5
    if [ "$arch" != "$(here)" ]; then
        # cargo's and the cc crate's own names for "the compiler for that platform".
        export "CARGO_TARGET_$(echo "$triple" | tr 'a-z-' 'A-Z_')_LINKER=$gcc"
        export "CC_$(echo "$triple" | tr '-' '_')=$gcc"
    fi
    # With --target, the flags are for the program and not for what helps to build it.
    export RUSTFLAGS="${RUSTFLAGS:-} -C target-feature=+crt-static"
    cargo build --locked --target "$triple" --profile "$profile" --bin "$program" "$@"
    folder="$profile"
    [ "$profile" != dev ] || folder=debug
    mkdir -p "$out"
    cp "${CARGO_TARGET_DIR:-target}/$triple/$folder/$program" "$out/$program"
    ;;
*)
    die "usage: prepare ARCH, or build ARCH PROFILE PROGRAM OUT [CARGO…]"
    ;;
esac
