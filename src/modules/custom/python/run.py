"""Runs a module in Python: run.py ARCHIVE IMPORT_NAME NAME, arguments as JSON on standard input."""

import json
import os
import runpy
import sys
import traceback

if sys.version_info < (3, 6):
    print(json.dumps({
        "failed": True,
        "msg": "the module `%s` needs Python 3.6 or newer, %s is %d.%d"
               % (sys.argv[3], sys.executable, sys.version_info[0], sys.version_info[1]),
    }))
    sys.exit(1)


def why_not(error, name):
    """What to say of an import that failed."""
    missing = getattr(error, "name", None) or ""
    text = str(error)
    if missing.startswith("ansible.module_utils") or missing == "ansible":
        if text.startswith("cannot import name"):
            what = "%s (%s)" % (missing, text.split(" (")[0])
        else:
            what = missing
        return ("the module `%s` needs `%s`, which runbook's `ansible.module_utils` does not have, "
                "and no `module_utils` directory does either" % (name, what))
    if missing.startswith("ansible_collections"):
        return "the module `%s` needs `%s`, which was not found in a collection on the controller" % (name, missing)
    return ("the module `%s` needs something that Python's standard library at %s does not have: %s"
            % (name, sys.executable, text))


def main():
    archive, import_name, name = sys.argv[1:4]
    arguments = sys.stdin.buffer.read()
    sys.path.insert(1, archive)
    import ansible
    import ansible.module_utils
    # what comes with the module stands before what runbook has
    ansible.__path__.insert(0, archive + "/ansible")
    ansible.module_utils.__path__.insert(0, archive + "/ansible/module_utils")
    sys._runbook_started_with = list(sys.argv)
    sys.argv = [import_name]
    try:
        from ansible.module_utils import basic
        basic._ANSIBLE_ARGS = arguments
        runpy.run_module(import_name, init_globals={"_module_fqn": import_name, "_modlib_path": archive},
                         run_name="__main__", alter_sys=True)
    except ImportError as error:
        sys.stdout.flush()
        print("\n" + json.dumps({"failed": True, "msg": why_not(error, name), "exception": traceback.format_exc()}))
        sys.exit(1)


main()
