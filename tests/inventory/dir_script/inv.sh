#!/bin/sh
# a dynamic inventory
case "$1" in
--list) cat <<'J'
{"web": {"hosts": ["w1", "w2"], "vars": {"a": 1}, "children": ["inner"]},
 "inner": ["i1"], "short": {"only": "vars"},
 "_meta": {"hostvars": {"w1": {"x": [1, 2]}, "i1": {"y": null}}}}
J
;;
*) echo '{}';;
esac
