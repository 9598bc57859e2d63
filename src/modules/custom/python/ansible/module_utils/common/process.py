import os

from ansible.module_utils.common.file import is_executable


def get_bin_path(arg, opt_dirs=None, required=None):
    """The path of a program; ValueError if it is nowhere."""
    dirs = [d for d in opt_dirs or [] if d and os.path.exists(d)]
    dirs += [d for d in os.environ.get("PATH", "").split(os.pathsep) if d]
    dirs += [d for d in ("/sbin", "/usr/sbin", "/usr/local/sbin") if d not in dirs]
    if os.path.isabs(arg) and os.path.isfile(arg) and is_executable(arg):
        return arg
    for directory in dirs:
        path = os.path.join(directory, arg)
        if os.path.isfile(path) and is_executable(path):
            return path
    raise ValueError("Failed to find required executable \"%s\" in paths: %s" % (arg, os.pathsep.join(dirs)))
