# The two commands of the README: `make demo` shows the thing, `make test` checks it.
# Each first checks what it needs from the system and installs it where it may (scripts/require.sh).

.PHONY: demo test test-rust test-browser test-oidc test-tokens bench edge-package

demo:
	@scripts/require.sh build
	cargo run --release -p proxy -- demo

test: test-rust test-browser test-oidc test-tokens

test-rust:
	@scripts/require.sh build edge nginx
	cargo test --workspace

test-browser:
	@scripts/require.sh build browser node
	@# The program that the tests were built with: building it alone would choose other features and start over.
	cargo test --workspace --no-run --quiet
	cd tests/browser && npm ci --no-audit --no-fund && node run.mjs "$${CARGO_TARGET_DIR:-../../target}/debug/portcullis"

test-oidc:
	@scripts/require.sh build node
	@# As for the browser's tests.
	cargo test --workspace --no-run --quiet
	cd tests/oidc && npm ci --no-audit --no-fund && node run.mjs "$${CARGO_TARGET_DIR:-../../target}/debug/portcullis"

test-tokens:
	@scripts/require.sh build node
	@# Leaves behind the tokens that aws-jwt-verify is asked about.
	cargo test --workspace --test flows --quiet t_jwt_8
	cd tests/tokens && npm ci --no-audit --no-fund && node run.mjs "$${CARGO_TARGET_DIR:-../../target}/tmp/tokens.json"

bench:
	@scripts/require.sh build
	cargo bench -p benches

edge-package:
	@scripts/require.sh build
	cargo run --release -p edge-adapter --bin package -- --out dist
