#!/bin/sh
# Writes the expected results beside the inventories, with the reference implementation found on PATH.
set -eu
cd "$(dirname "$0")"
empty=$(mktemp --suffix=.cfg)
trap 'rm -f "$empty"' EXIT
export ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED=1 ANSIBLE_CONFIG="$empty" ANSIBLE_NOCOLOR=1
for case in *.ini *.yml ini_no_extension yml_extensionless */; do
    case=${case%/}
    if [ -e "$case.error" ]; then continue; fi
    # the reference knows no Terraform: these are written by hand
    case $case in terraform_*) continue ;; esac
    ansible-inventory -i "$case" --list >"$case.json" 2>/dev/null
    ansible-inventory -i "$case" --graph >"$case.graph" 2>/dev/null
done
# without this, the reference reads TOML as INI
export ANSIBLE_INVENTORY_ENABLED=toml
for case in *.toml; do
    ansible-inventory -i "$case" --list >"$case.json" 2>/dev/null
    ansible-inventory -i "$case" --graph >"$case.graph" 2>/dev/null
done
unset ANSIBLE_INVENTORY_ENABLED
for patterns in *.patterns; do
    case=${patterns%.patterns}
    sed 's/ => .*//' "$patterns" | while IFS= read -r pattern; do
        hosts=$(ansible -i "$case" "$pattern" --list-hosts 2>/dev/null | sed 1d | tr -s ' \n' ' ')
        printf '%s => %s\n' "$pattern" "$(echo $hosts)"
    done >"$patterns.new"
    mv "$patterns.new" "$patterns"
done
