import os
import stat

_EXECUTE = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH
_DEFAULT_PERM = 0o666
S_IRWU_RG_RO = 0o644
S_IRWXU_RXG_RXO = 0o755
S_IRWU_RWG_RWO = 0o666


def is_executable(path):
    return bool(os.stat(path).st_mode & _EXECUTE)
