#!/bin/bash
# All checks of the project: formatting, lints, and every test against the release binary.
# As root with systemd-nspawn the tests on real machines run too; elsewhere each says SKIPPED.
# RUNBOOK_REQUIRE_HOSTS=1 makes them fail instead. Further arguments go to `cargo test`.
set -euo pipefail
cd "$(dirname "$0")"

# shellcheck source=.ci/rust
. .ci/rust

step() { printf '\n== %s\n' "$*" >&2; }

step formatting
cargo fmt --check
step lints
cargo clippy --locked --all-targets -- -D warnings
step 'release binary'
cargo build --locked --release
host=$(rustc -vV | sed -n 's/^host: //p')
target=${CARGO_TARGET_DIR:-target}
RUNBOOK_BIN=$(realpath "$target/$host/release/runbook")
export RUNBOOK_BIN INSTA_UPDATE=no
step tests
exec cargo test --locked --no-fail-fast "$@"
