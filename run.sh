#!/bin/bash
# From a clone to a first run: builds the release binary, then runs a playbook on this machine, twice.
# Arguments replace the playbook and its options: ./run.sh playbooks/etcd.yml -i lab
set -euo pipefail
cd "$(dirname "$0")"

# shellcheck source=.ci/rust
. .ci/rust

# rustc links with cc, and `ring` compiles C. The binary is static, so the C library's static half is needed too.
links_statically() {
    echo 'int main(void) { return 0; }' | cc -static -x c -o /dev/null - 2>/dev/null
}
if ! links_statically; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends gcc libc6-dev
    else
        echo 'error: no C compiler that links statically. Debian: apt-get install gcc libc6-dev' >&2
        echo '       Fedora: dnf install gcc glibc-static' >&2
        exit 1
    fi
fi

cargo build --locked --release --bin runbook
host=$(rustc -vV | sed -n 's/^host: //p')
runbook=${CARGO_TARGET_DIR:-target}/$host/release/runbook

if [ $# -eq 0 ]; then
    set -- playbooks/quickstart.yml -i localhost, --verify
fi
printf '\n+ %s play' "$runbook" >&2
printf ' %q' "$@" >&2
printf '\n' >&2
exec "$runbook" play "$@"
