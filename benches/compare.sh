#!/bin/bash
# What a run costs, beside ansible-core on the same machines: benches/compare.sh [MACHINES…] (default: 1 10).
#
# Boots systemd-nspawn machines (root, as the tests on real machines), runs each playbook of benches/compare/ with
# both programs in turn, checks that files and recaps are equal, and prints medians. Everything is taken down.
#
#   ANSIBLE      a virtual environment with ansible-core; without it only runbook is measured
#   BED_BIN      what boots the machines (default: the example `bed`, built when needed)
#   RUNBOOK_BIN  the executable (default: the release build)
#   ROUNDS       runs of each kind (default: 3)
#   CASES        playbooks (default: "tasks loop facts")
#   FORKS        Ansible's --forks (default: 10)
#   RAW          where every single figure goes (default: a temporary file, named at the end)
#   TABLE_ONLY=1 prints the table of the figures in RAW, and measures nothing
set -euo pipefail
cd "$(dirname "$0")/.."

# --- the table

median() { # column, then machines case tool pass
    awk -F'\t' -v m="$2" -v c="$3" -v t="$4" -v p="$5" -v col="$1" \
        'NR > 1 && $1==m && $2==c && $3==t && $4==p { print $col }' "$raw" | sort -n |
        awk '{ v[NR] = $1 } END { if (NR) print v[int((NR + 1) / 2)]; else print "-" }'
}
show_table() { # machines…
    printf '\n| machines | playbook | program | run | wall | / Ansible | CPU here | / Ansible | RSS | sent | received | agent sent | agent start |\n'
    printf '|---:|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n'
    for machines in "$@"; do
        for case in "${cases[@]}"; do
            for row in 'ansible first' 'ansible second' 'cold first' 'warm first' 'warm second'; do
                read -r tool pass <<<"$row"
                wall=$(median 5 "$machines" "$case" "$tool" "$pass")
                [ "$wall" != - ] || continue
                cpu=$(median 6 "$machines" "$case" "$tool" "$pass")
                ratio() { awk -v a="$1" -v b="$2" 'BEGIN { if (b == "-" || a == 0) print "-"; else if (a == b) print "1"; else printf "1/%.0f", b / a }'; }
                base_wall=$(median 5 "$machines" "$case" ansible "$pass")
                base_cpu=$(median 6 "$machines" "$case" ansible "$pass")
                printf '| %s | %s | %s | %s | %s s | %s | %s s | %s | %s MB | %s kB | %s kB | %s | %s |\n' "$machines" "$case" \
                    "$([ "$tool" = ansible ] && echo ansible-core || echo "runbook, $tool")" "$pass" "$wall" "$(ratio "$wall" "$base_wall")" \
                    "$cpu" "$(ratio "$cpu" "$base_cpu")" \
                    "$(awk -v k="$(median 7 "$machines" "$case" "$tool" "$pass")" 'BEGIN { printf "%.0f", k / 1024 }')" \
                    "$(awk -v b="$(median 8 "$machines" "$case" "$tool" "$pass")" 'BEGIN { printf "%.0f", b / 1000 }')" \
                    "$(awk -v b="$(median 9 "$machines" "$case" "$tool" "$pass")" 'BEGIN { printf "%.0f", b / 1000 }')" \
                    "$(median 10 "$machines" "$case" "$tool" "$pass")" \
                    "$(median 11 "$machines" "$case" "$tool" "$pass")"
            done
        done
    done
    printf '\nwall and CPU: medians of %s; CPU is user+sys of the program here; sent and received: all bytes on the wire.\n' "$rounds"
    printf 'each figure: %s\n' "$raw"
}

[ $# -gt 0 ] || set -- 1 10
rounds=${ROUNDS:-3}
read -ra cases <<<"${CASES:-tasks loop facts}"
forks=${FORKS:-10}
raw=${RAW:-$(mktemp --suffix=.tsv)}
if [ -n "${TABLE_ONLY:-}" ]; then
    show_table "$@"
    exit
fi
host=$(rustc -vV | sed -n 's/^host: //p')
runbook=$(realpath "${RUNBOOK_BIN:-${CARGO_TARGET_DIR:-target}/$host/release/runbook}")
work=$(mktemp -d)
printf 'machines\tcase\ttool\tpass\twall_s\tcpu_s\trss_kb\tsent\treceived\tuploaded\tagent_ms\tload\n' >"$raw"
most=$(printf '%s\n' "$@" | sort -n | tail -1)

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# --- machines

mapfile -t names < <(seq -f 'bench-%02g' 1 "$most")
[ -n "${BED_BIN:-}" ] || cargo build --quiet --release --example bed
coproc BED { exec "${BED_BIN:-${CARGO_TARGET_DIR:-target}/$host/release/examples/bed}" "${names[@]}"; }
bed_pid=$BED_PID
bed_in=${BED[1]}
take_down() {
    status=$?
    # the masters that Ansible left behind
    for socket in "$work"/cp/*; do
        [ -S "$socket" ] && ssh -o ControlPath="$socket" -O exit x 2>/dev/null || true
    done
    exec {bed_in}>&- || true
    wait "$bed_pid" 2>/dev/null || true
    rm -rf "$work"
    exit $status
}
trap take_down EXIT
trap 'exit 130' INT TERM
addresses=()
while read -r -t 300 -u "${BED[0]}" first rest; do
    case $first in
        bench-*) addresses+=("$rest") ;;
        inventory:) inventory=$rest ;;
        home:) home=$rest ;;
        close) break ;;
    esac
done
[ ${#addresses[@]} -eq "$most" ] || die 'the machines did not come up'
cp "$inventory" "$work/inventory.ini"
key=$(sed -n 's/^ansible_ssh_private_key_file=//p' "$work/inventory.ini")
sed -i 's/^ansible_user=.*/ansible_user=root/' "$work/inventory.ini"
ssh_options=(-o UserKnownHostsFile="$home/.ssh/known_hosts" -o IdentitiesOnly=yes -i "$key" -o LogLevel=ERROR)
bridge=$(ip -o route get "${addresses[0]}" | sed -n 's/.* dev \([^ ]*\).*/\1/p')

on() { ssh -n "${ssh_options[@]}" -o ControlMaster=no "root@$1" "$2"; }
on_first() { # the command on the first N machines, some at a time
    printf '%s\n' "${addresses[@]:0:$1}" |
        xargs -P 5 -I{} ssh -n "${ssh_options[@]}" root@{} "$2"
}

if [ -n "${ANSIBLE:-}" ]; then
    for address in "${addresses[@]}"; do
        on "$address" 'export DEBIAN_FRONTEND=noninteractive; apt-get update -qq &&
            apt-get install -y -qq --no-install-recommends python3 python3-apt' >"$work/apt.log" 2>&1 ||
            die "no Python on $address: $(tail -3 "$work/apt.log")"
    done
fi

# --- one run

bytes() { cat "/sys/class/net/$bridge/statistics/$1"; }
fresh() { on_first "$1" 'rm -rf /srv/runbook-bench; mkdir -p /srv/runbook-bench'; }
# the files of all machines, by content
files() { for address in "${addresses[@]:0:$1}"; do on "$address" 'cd /srv/runbook-bench && find . -type f -printf "%m " -exec sha256sum {} + | sort'; done | sha256sum; }
# lines "host ok changed unreachable failed skipped" from the recap
recap() {
    sed -E 's/\x1b\[[0-9;]*m//g' "$1" |
        sed -nE 's/^(bench-[0-9]+) .*ok=([0-9]+) +changed=([0-9]+) +unreachable=([0-9]+) +failed=([0-9]+) +skipped=([0-9]+).*/\1 \2 \3 \4 \5 \6/p' | sort
}

measured() { # machines case tool pass command…
    local machines=$1 case=$2 tool=$3 pass=$4
    shift 4
    local rx tx status=0
    rx=$(bytes rx_bytes) tx=$(bytes tx_bytes)
    /usr/bin/time -f '%e %U %S %M' -o "$work/time" "$@" >"$work/out" 2>"$work/err" || status=$?
    rx=$(($(bytes rx_bytes) - rx)) tx=$(($(bytes tx_bytes) - tx))
    [ $status = 0 ] || die "$tool ended with $status: $(tail -5 "$work/out" "$work/err")"
    local wall user sys rss
    read -r wall user sys rss < <(tail -1 "$work/time")
    local uploaded=- agent=-
    if [ "$tool" != ansible ]; then
        uploaded=$(sed -nE 's/^ *connections: .* ([0-9]+) bytes uploaded.*/\1/p' "$work/err")
        agent=$(sed -nE 's/^ *connections: .* agents started in ([0-9.]+) ms.*/\1/p' "$work/err")
    fi
    local load
    read -r load _ </proc/loadavg
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$machines" "$case" "$tool" "$pass" "$wall" \
        "$(echo "$user $sys" | awk '{print $1+$2}')" "$rss" "$tx" "$rx" "${uploaded:--}" "${agent:--}" "$load" >>"$raw"
    recap "$work/out" >"$work/recap.$tool.$pass"
    [ -s "$work/recap.$tool.$pass" ] || die "$tool printed no recap: $(tail -5 "$work/out" "$work/err")"
}

with_ansible() { # machines case pass
    measured "$1" "$2" ansible "$3" env HOME="$work" ANSIBLE_CONFIG=benches/compare/ansible.cfg ANSIBLE_LOCAL_TEMP="$work/tmp" \
        ANSIBLE_SSH_CONTROL_PATH_DIR="$work/cp" ANSIBLE_NOCOLOR=1 LC_ALL=C.UTF-8 \
        "$ANSIBLE/bin/ansible-playbook" -i "$work/inventory.ini" -l "${limit[$1]}" -f "$forks" "benches/compare/$2.yml"
}
with_runbook() { # machines case pass tool
    measured "$1" "$2" "$4" "$3" env HOME="$home" NO_COLOR=1 \
        "$runbook" play --timing -i "$work/inventory.ini" -l "${limit[$1]}" "benches/compare/$2.yml"
}

equal() { # machines case tool
    local sums
    sums=$(files "$1")
    if [ -z "${want:-}" ]; then
        want=$sums
    elif [ "$want" != "$sums" ]; then
        die "$3 left other files than the first program ($2, $1 machines)"
    fi
    local pass
    for pass in first second; do
        [ -f "$work/want.$pass" ] || cp "$work/recap.$3.$pass" "$work/want.$pass"
        diff -u "$work/want.$pass" "$work/recap.$3.$pass" >&2 || die "the recaps of the $pass runs differ ($2, $3)"
    done
    awk '$3 != 0 { exit 1 }' "$work/recap.$3.second" || die "the second run of $3 changed something ($2)"
}

declare -A limit
for machines in "$@"; do
    limit[$machines]=$(printf '%s:' "${names[@]:0:machines}")
    for case in "${cases[@]}"; do
        want=
        rm -f "$work"/want.*
        for ((round = 0; round < rounds; round++)); do
            if [ -n "${ANSIBLE:-}" ]; then
                [ $round -gt 0 ] || env HOME="$work" ANSIBLE_CONFIG=benches/compare/ansible.cfg ANSIBLE_LOCAL_TEMP="$work/tmp" \
                    ANSIBLE_SSH_CONTROL_PATH_DIR="$work/cp" "$ANSIBLE/bin/ansible" -i "$work/inventory.ini" -l "${limit[$machines]}" \
                    -f "$forks" -m ping all >/dev/null || die 'Ansible does not reach the machines'
                fresh "$machines"
                with_ansible "$machines" "$case" first
                with_ansible "$machines" "$case" second
                equal "$machines" "$case" ansible
            fi
            # cold: the agent is not on the machine
            fresh "$machines"
            on_first "$machines" 'rm -rf /root/.cache/runbook /root/.runbook'
            with_runbook "$machines" "$case" first cold
            with_runbook "$machines" "$case" second cold
            equal "$machines" "$case" cold
            fresh "$machines"
            with_runbook "$machines" "$case" first warm
            with_runbook "$machines" "$case" second warm
            equal "$machines" "$case" warm
        done
    done
done

show_table "$@"
