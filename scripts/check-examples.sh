#!/usr/bin/env bash
# Checks deploy/examples and the documents about deploying: each example with the tool it is for, and every
# parameter and output that one of them names against deploy/template.yaml.
#
#   scripts/check-examples.sh
#
# What it needs it installs: from PyPI into target/example-tools, from npm into the CDK example. What cannot be
# checked on this system is said at the end.
set -euo pipefail
cd "$(dirname "$0")/.."
target="$(realpath -m "${CARGO_TARGET_DIR:-target}")"

left_out=()
failed=0
say() { printf -- '-- %s\n' "$1"; }
fail() { failed=1; echo "FAILED: $1" >&2; }
leave_out() { left_out+=("$1"); echo "NOT CHECKED: $1" >&2; }

tools="$target/example-tools"
pip_packages=(cfn-lint==1.58.0 aws-sam-translator python-hcl2==8.1.4)
if [ "$(cat "$tools/packages" 2>/dev/null)" != "${pip_packages[*]}" ]; then
    rm -rf "$tools"
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check "${pip_packages[@]}"
    echo "${pip_packages[*]}" >"$tools/packages"
fi

say "CloudFormation examples: cfn-lint"
"$tools/bin/cfn-lint" --non-zero-exit-code informational deploy/examples/*/template.yaml || fail "cfn-lint of the examples"

say "CDK example: npm ci, tsc, synthesised, cfn-lint"
synthesised="$target/example-cdk"
rm -rf "$synthesised"
if (
    cd deploy/examples/cdk
    npm ci --no-audit --no-fund --silent
    npx --no-install tsc
    CDK_OUTDIR="$synthesised" CDK_CONTEXT_JSON='{"packagedTemplate": "../../template.yaml"}' node dist/bin/app.js
); then
    "$tools/bin/cfn-lint" --non-zero-exit-code informational "$synthesised"/*.template.json || fail "cfn-lint of the CDK example"
else
    fail "CDK example"
fi

say "Terraform example: terraform fmt"
if command -v terraform >/dev/null; then
    # Formatting asks for no provider, and for nobody's settings.
    TF_CLI_CONFIG_FILE=/dev/null CHECKPOINT_DISABLE=1 terraform fmt -check -diff -recursive deploy/examples/terraform || fail "terraform fmt"
else
    leave_out "the Terraform example's formatting (terraform is missing; its syntax is checked all the same)"
fi

say "names: examples and documents against deploy/template.yaml"
"$tools/bin/python" scripts/deploy/examples.py "$synthesised" || fail "names"

if [ ${#left_out[@]} -gt 0 ]; then
    printf 'not checked on this system:\n' >&2
    printf '  %s\n' "${left_out[@]}" >&2
fi
exit $failed
