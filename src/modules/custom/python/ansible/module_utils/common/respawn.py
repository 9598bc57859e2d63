"""Running the module again with another Python."""

import os
import subprocess
import sys

_MARK = "RUNBOOK_MODULE_RESPAWNED"


def has_respawned():
    return _MARK in os.environ


def respawn_module(interpreter_path):
    if has_respawned():
        raise Exception("module has already been respawned")
    from ansible.module_utils import basic
    again = subprocess.run([interpreter_path] + sys._runbook_started_with, input=basic._ANSIBLE_ARGS,
                           env=dict(os.environ, **{_MARK: "1"}))
    sys.exit(again.returncode)


def probe_interpreters_for_module(interpreter_paths, module_name):
    for path in interpreter_paths:
        if not os.path.exists(path):
            continue
        tried = subprocess.run([path, "-c", "import %s" % module_name], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if tried.returncode == 0:
            return path
    return None
