#!/usr/bin/env bash
# Builds the sample single-page application into deploy/sample-sites/spa/dist, which is committed.
#
#   scripts/sample-site.sh            replaces dist
#   scripts/sample-site.sh --check    builds elsewhere, and fails where the committed dist differs
set -euo pipefail
cd "$(dirname "$0")/../deploy/sample-sites/spa"

npm ci --no-audit --no-fund --silent
case "${1:-}" in
"") npx --no-install vite build --logLevel warn ;;
--check)
    built="$(mktemp -d)"
    trap 'rm -rf "$built"' EXIT
    npx --no-install vite build --logLevel warn --outDir "$built/dist" --emptyOutDir
    if ! diff -r dist "$built/dist" >&2; then
        echo "deploy/sample-sites/spa/dist is not what its sources build: run scripts/sample-site.sh" >&2
        exit 1
    fi
    ;;
*)
    echo "usage: scripts/sample-site.sh [--check]" >&2
    exit 2
    ;;
esac
