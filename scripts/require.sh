#!/bin/sh
# Checks what a task needs from the system, says what is missing, and installs it where it may.
#
#   scripts/require.sh build      a C compiler and cmake, for Pingora's build
#   scripts/require.sh browser    Chromium, for the browser tests
#   scripts/require.sh node       Node.js and npm, for the browser tests and those against npm's packages
#   scripts/require.sh edge       Python 3, for the edge packages' start-up tests
#   scripts/require.sh nginx      nginx, which the tests put in front of the proxy
#   scripts/require.sh deploy     Python 3 with venv, for the checks of the stack
set -eu

has() { command -v "$1" >/dev/null 2>&1; }

missing=""
need() { # need LABEL DEBIAN FEDORA BREW
    missing="$missing $1"
    deb="${deb:-} $2"
    rpm="${rpm:-} $3"
    brew="${brew:-} $4"
}

for task in "$@"; do
    case "$task" in
    build)
        has cargo || { echo "missing: cargo (install Rust from https://rustup.rs)" >&2; exit 1; }
        has cc || has gcc || has clang || need "C-compiler" build-essential gcc gcc
        has cmake || need cmake cmake cmake cmake
        has make || need make make make make
        ;;
    browser)
        if [ -z "${CHROMIUM:-}" ] && ! has chromium && ! has chromium-browser && ! has google-chrome \
            && [ ! -x "/Applications/Chromium.app/Contents/MacOS/Chromium" ] \
            && [ ! -x "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" ]; then
            need Chromium chromium chromium "--cask chromium"
        fi
        ;;
    node)
        has node || need Node.js nodejs nodejs node
        has npm || need npm npm npm node
        ;;
    edge)
        has python3 || need Python-3 python3 python3 python
        ;;
    nginx)
        has nginx || [ -x /usr/sbin/nginx ] || need nginx nginx nginx nginx
        ;;
    deploy)
        has python3 || need Python-3 python3 python3 python
        python3 -c "import ensurepip, venv" 2>/dev/null || need Python-venv python3-venv python3 python
        ;;
    *)
        echo "unknown task: $task (build, browser, node, edge, nginx, deploy)" >&2
        exit 2
        ;;
    esac
done
[ -n "$missing" ] || exit 0

echo "missing from this system:$missing" >&2
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if has sudo && sudo -n true 2>/dev/null; then as_root="sudo -n"; else as_root="none"; fi
fi
# Package names are words: splitting them is meant.
if has apt-get; then
    how="apt-get install -y --no-install-recommends$deb"
    [ "$as_root" = none ] || { $as_root apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive $as_root $how >/dev/null; }
elif has dnf; then
    how="dnf install -y$rpm"
    [ "$as_root" = none ] || $as_root $how >/dev/null
elif has brew; then
    how="brew install$brew"
    as_root=""
    $how >/dev/null
else
    echo "no known package manager (apt-get, dnf, brew): please install them by hand" >&2
    exit 1
fi
if [ "$as_root" = none ]; then
    echo "may not install without root; please run: sudo $how" >&2
    exit 1
fi
echo "installed with: $how" >&2
