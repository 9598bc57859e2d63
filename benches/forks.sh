#!/bin/bash
# How many hosts should work at once: one sshd here, many addresses in 127.0.0.0/8. benches/forks.sh [HOSTS] [FORKS…]
# Needs root and sshd; nothing of the system's own sshd is touched. RUNBOOK_BIN and ROUNDS as for compare.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
hosts=${1:-100}
shift || true
[ $# -gt 0 ] || set -- 5 10 25 50 100
rounds=${ROUNDS:-3}
host=$(rustc -vV | sed -n 's/^host: //p')
runbook=$(realpath "${RUNBOOK_BIN:-${CARGO_TARGET_DIR:-target}/$host/release/runbook}")
work=$(mktemp -d)
port=${PORT:-22022}
ssh-keygen -q -t ed25519 -N '' -f "$work/host"
ssh-keygen -q -t ed25519 -N '' -f "$work/key"
mkdir -p "$work/home/.ssh" /run/sshd
cat >"$work/sshd_config" <<X
Port $port
ListenAddress 0.0.0.0
HostKey $work/host
AuthorizedKeysFile $work/key.pub
StrictModes no
UsePAM no
MaxStartups 1000
PidFile none
LogLevel QUIET
X
# a home of its own: what a login shell reads on this machine is not to be measured
unshare --mount --propagation private sh -c 'mount -t tmpfs none "$HOME" && exec "$0" -D -f "$1"' \
    "$(command -v sshd)" "$work/sshd_config" &
sshd=$!
trap 'kill $sshd 2>/dev/null; wait $sshd 2>/dev/null; rm -rf "$work"' EXIT
printf '*  %s\n' "$(cut -d' ' -f1,2 "$work/host.pub")" >"$work/home/.ssh/known_hosts"
{
    for ((i = 0; i < hosts; i++)); do
        printf 'h%03d ansible_host=127.1.%d.%d\n' $i $((i / 250)) $((i % 250 + 1))
    done
    printf '[all:vars]\nansible_user=%s\nansible_port=%s\nansible_ssh_private_key_file=%s\n' "$(id -un)" "$port" "$work/key"
} >"$work/inventory.ini"
run() { /usr/bin/time -f '%e %U %S %M' -o "$work/time" env HOME="$work/home" NO_COLOR=1 "$runbook" play -f "$1" -i "$work/inventory.ini" ${3:+-l "$3"} "${PLAYBOOK:-benches/compare/forks.yml}" ${TIMING:+--timing} >"$work/out" 2>&1 || {
    grep -m5 -E "UNREACHABLE|FAILED|unreachable:|failed:|fatal" "$work/out" >&2
    tail -3 "$work/out" >&2
    exit 1
}; }
run 1 first h000 # the agent is there afterwards
printf '\n| -f | wall | CPU of runbook | RSS |\n|---:|---:|---:|---:|\n'
for forks in "$@"; do
    for ((round = 0; round < rounds; round++)); do
        run "$forks"
        [ "$(grep -c ' ok=4 .*unreachable=0 *failed=0' "$work/out")" = "$hosts" ] || {
            echo 'error: not all hosts did all' >&2
            exit 1
        }
        tail -1 "$work/time" | awk '{ print $1, $2 + $3, $4 / 1024 }'
        [ -z "${TIMING:-}" ] || grep -A4 "^TIME" "$work/out" >&2
    done | sort -n | awk -v f="$forks" '{ line[NR] = $0 } END { split(line[int((NR + 1) / 2)], v, " ")
        printf "| %s | %.2f s | %.2f s | %.0f MB |\n", f, v[1], v[2], v[3] }'
done
