#!/bin/bash
# Makes a directory with the collections and Python libraries that cases marked `# needs: collections` compare with:
# collections.sh PYTHON DIR; then RUNBOOK_COLLECTIONS=DIR tests/differential/record.sh /path/to/ansible-playbook collections-
set -euo pipefail
python=${1:?the Python that runs ansible-core} directory=${2:?a directory to make}
mkdir -p "$directory"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$python" -m pip download --quiet --no-deps --dest "$scratch" 'ansible==11.13.0'
"$python" - "$scratch"/ansible-*.whl "$directory" <<'EOF'
import sys, zipfile
wanted = tuple(f'ansible_collections/{name}/' for name in
               ('ansible/utils', 'ansible/netcommon', 'ansible/posix', 'community/general', 'community/crypto'))
with zipfile.ZipFile(sys.argv[1]) as wheel:
    for name in wheel.namelist():
        if name.startswith(wanted):
            wheel.extract(name, sys.argv[2])
EOF
"$python" -m pip install --quiet --target "$directory/python" netaddr jmespath passlib 'bcrypt==4.0.1' lxml
