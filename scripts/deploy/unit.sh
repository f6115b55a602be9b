#!/bin/sh
# Checks the systemd unit: no key that systemd does not know, as little exposed as can be, and that portcullis
# takes the configuration that goes with it. Usage: unit.sh PORTCULLIS. Ends with 3 where systemd-analyze is missing.
set -eu
portcullis="$1"
folder=deploy/systemd
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# A folder of credentials as systemd makes one, for the configuration to find its secret in.
mkdir "$scratch/credentials"
echo secret-of-a-check >"$scratch/credentials/client-secret"
CREDENTIALS_DIRECTORY="$scratch/credentials" "$portcullis" check --config "$folder/config.toml" >"$scratch/shown"
if grep -q secret-of-a-check "$scratch/shown"; then
    echo "portcullis check shows a secret" >&2
    exit 1
fi

command -v systemd-analyze >/dev/null || exit 3
# The program is not installed on a machine that only checks.
for unit in "$folder"/*.service; do
    sed "s|/usr/bin/portcullis|$(command -v true)|" "$unit" >"$scratch/$(basename "$unit")"
done
check() { # check MOST_EXPOSED, in tenths of systemd-analyze's points, 0 (nothing exposed) to 100
    # Verify only warns of unknown keys and bad values: any word is too many.
    systemd-analyze verify "$scratch/portcullis.service" >"$scratch/said" 2>&1 || true
    if [ -s "$scratch/said" ]; then
        cat "$scratch/said" >&2
        return 1
    fi
    if ! systemd-analyze security --offline=true --no-pager --threshold="$1" "$scratch/portcullis.service" \
        >"$scratch/said" 2>&1; then
        grep -v '✓' "$scratch/said" >&2
        return 1
    fi
    tail -n 1 "$scratch/said"
}
check 13
# With the drop-in that lets it have ports below 1024.
mkdir "$scratch/portcullis.service.d"
cp "$folder/privileged-ports.conf" "$scratch/portcullis.service.d/"
check 17
