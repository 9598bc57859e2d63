#!/bin/bash
# Writes what ansible-core does with each case: record.sh /path/to/ansible-playbook [part of a case's name]; RUNBOOK_RECORD=missing leaves what is there
set -euo pipefail
cd "$(dirname "$0")/../.."
RUNBOOK_ORACLE=$(realpath "${1:?the path of ansible-playbook}") RUNBOOK_RECORD=${RUNBOOK_RECORD:-1} CASES=${2:-} \
    cargo test --locked --test differential
