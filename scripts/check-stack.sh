#!/usr/bin/env bash
# Checks deploy/ without AWS: the SAM CLI's and cfn-lint's opinion of the template, a build of every function,
# then the whole stack walked through creations, updates and deletions with the real custom-resource program
# (deploy/tests/check_stack.py).
#
#   scripts/check-stack.sh [PROGRAMS]     PROGRAMS: the folder with custom-resources and package, built already
#
# EDGE_PROGRAM may name an edge program that is built already. Python packages go into the target folder;
# nothing else is touched.
set -euo pipefail
cd "$(dirname "$0")/.."
target="$(realpath -m "${CARGO_TARGET_DIR:-target}")"
export SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1

programs="${1:-}"
if [ -z "$programs" ]; then
    cargo build --locked --quiet -p custom-resources -p edge-adapter
    programs="$target/debug"
fi
programs="$(realpath "$programs")"

venv="$target/deploy-venv"
if ! cmp -s deploy/tests/requirements.txt "$venv/requirements.txt"; then
    rm -rf "$venv"
    if ! python3 -m venv "$venv"; then
        echo "python3 has no venv here: scripts/require.sh deploy" >&2
        exit 1
    fi
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r deploy/tests/requirements.txt
    cp deploy/tests/requirements.txt "$venv/"
fi

"$venv/bin/sam" validate --lint --template deploy/template.yaml

PACKAGE="$programs/package" RESOURCES_PROGRAM="$programs/custom-resources" EDGE_PROGRAM="${EDGE_PROGRAM:-}" \
    "$venv/bin/sam" build --template deploy/template.yaml --build-dir "$target/sam-build" >"$target/sam-build.log" 2>&1 \
    || { cat "$target/sam-build.log" >&2; exit 1; }
"$venv/bin/python" deploy/tests/check_build.py "$target/sam-build"

"$venv/bin/python" deploy/tests/check_stack.py "$programs/custom-resources"
