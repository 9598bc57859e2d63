# `just` lists these. Nothing here is more than one command; without just, read and type them.

host := `rustc -vV | sed -n 's/^host: //p'`
target := env("CARGO_TARGET_DIR", "target")

# List the recipes.
default:
    @just --list

# Build the release binary.
build:
    cargo build --locked --release

# Format, lints, all tests: what CI runs.
test *args:
    ./test.sh {{ args }}

# Run the built binary: just run play playbooks/quickstart.yml
run *args: build
    {{ target / host / "release/runbook" }} {{ args }}

# Boot test machines until Ctrl-C (as root): just bed 3, or just bed etcd-01 etcd-02 etcd-03
bed *names:
    cargo run --locked --example bed -- {{ names }}

# Format the sources.
fmt:
    cargo fmt

# Lints as errors; licences and advisories if cargo-deny is there.
lint:
    cargo fmt --check
    cargo clippy --locked --all-targets -- -D warnings
    if command -v cargo-deny >/dev/null; then cargo deny check; fi
