"""What modules in Python are written with: AnsibleModule."""

import atexit
import datetime
import grp
import hashlib
import json
import locale
import os
import platform
import pwd
import re
import select
import selectors
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import syslog
import tempfile
import time
import traceback
import types
from collections.abc import (
    KeysView, Mapping, MutableMapping, MutableSequence, MutableSet, Sequence, Set,
)
from itertools import chain, repeat

from ansible.module_utils._arguments import (
    PASS_BOOLS, PASS_VARS, ArgumentSpecValidator, _looks_secret, env_fallback, remove_values, sanitize_keys,
)
from ansible.module_utils.common import validation as _checks
from ansible.module_utils.common import warnings as _warnings
from ansible.module_utils.common.file import S_IRWU_RG_RO, _DEFAULT_PERM, is_executable
from ansible.module_utils.common.process import get_bin_path
from ansible.module_utils.common.sys_info import (
    get_distribution, get_distribution_version, get_platform_subclass,
)
from ansible.module_utils.common.text.converters import (
    container_to_bytes as json_dict_unicode_to_bytes, container_to_text as json_dict_bytes_to_unicode,
    jsonify, to_bytes, to_native, to_text,
)
from ansible.module_utils.common.text.formatters import (
    SIZE_RANGES, bytes_to_human, human_to_bytes, lenient_lowercase,
)
from ansible.module_utils.common.validation import safe_eval
from ansible.module_utils.errors import AnsibleFallbackNotFound, UnsupportedError
from ansible.module_utils.parsing.convert_bool import BOOLEANS, BOOLEANS_FALSE, BOOLEANS_TRUE, boolean
from ansible.module_utils.six import (
    PY2, PY3, b, binary_type, integer_types, iteritems, string_types, text_type,
)

# the arguments, as run.py puts them here
_ANSIBLE_ARGS = None

imap = map
literal_eval = _checks.literal_eval
NoneType = type(None)
NUMBERTYPES = (int, float)
SEQUENCETYPE = (list, tuple, set, frozenset)
HAVE_SELINUX = False
HAS_SYSLOG = True
PERM_BITS = 0o7777
EXEC_PERM_BITS = 0o0111
DEFAULT_PERM = 0o666

FILE_COMMON_ARGUMENTS = {
    "mode": {"type": "raw"}, "owner": {"type": "str"}, "group": {"type": "str"}, "seuser": {"type": "str"},
    "serole": {"type": "str"}, "selevel": {"type": "str"}, "setype": {"type": "str"},
    "attributes": {"type": "str", "aliases": ["attr"]},
    "unsafe_writes": {"type": "bool", "default": False},
}


def get_platform():
    return platform.system()


def load_platform_subclass(cls, *args, **kwargs):
    return super(cls, get_platform_subclass(cls)).__new__(get_platform_subclass(cls))


def get_all_subclasses(cls):
    return list(cls.__subclasses__()) + [below for one in cls.__subclasses__() for below in get_all_subclasses(one)]


def missing_required_lib(library, reason=None, url=None):
    text = "Failed to import the required Python library (%s) on %s's Python %s." % (
        library, platform.node(), sys.executable)
    if reason:
        text += " This is required %s." % reason
    if url:
        text += " See %s for more info." % url
    return text + (" Please read the module documentation and install it in the appropriate location. If the required "
                   "library is installed, but Ansible is using the wrong Python interpreter, please consult the "
                   "documentation on ansible_python_interpreter")


def heuristic_log_sanitize(data, no_log_values=None):
    data = re.sub(r"(://[^:/@\s]*:)[^@\s]+(@)", r"\1********\2", to_native(data))
    return remove_values(data, no_log_values) if no_log_values else data


def _load_params():
    """The arguments of this process."""
    global _ANSIBLE_ARGS
    data = _ANSIBLE_ARGS
    if data is None:
        if len(sys.argv) > 1 and os.path.isfile(sys.argv[1]):
            with open(sys.argv[1], "rb") as file:
                data = file.read()
        else:
            data = sys.stdin.buffer.read()
        _ANSIBLE_ARGS = data
    try:
        return json.loads(to_text(data, errors="surrogate_or_strict"))["ANSIBLE_MODULE_ARGS"]
    except (ValueError, KeyError, TypeError):
        print('\n{"msg": "Error: Module unable to decode valid JSON on stdin.  Unable to figure out what parameters '
              'were passed", "failed": true}')
        sys.exit(1)


_PASSED = {
    "check_mode": ("check_mode", False), "debug": ("_debug", False), "diff": ("_diff", False),
    "keep_remote_files": ("_keep_remote_files", False), "ignore_unknown_opts": ("_ignore_unknown_opts", False),
    "module_name": ("_name", None), "no_log": ("no_log", False), "remote_tmp": ("_remote_tmp", None),
    "selinux_special_fs": ("_selinux_special_fs", ["fuse", "nfs", "vboxsf", "ramfs", "9p", "vfat"]),
    "shell_executable": ("_shell", "/bin/sh"), "socket": ("_socket_path", None),
    "string_conversion_action": ("_string_conversion_action", "warn"),
    "syslog_facility": ("_syslog_facility", "LOG_USER"), "tmpdir": ("_tmpdir", None),
    "verbosity": ("_verbosity", 0), "version": ("ansible_version", "0.0"),
    "target_log_info": ("_target_log_info", None),
}


class AnsibleModule:
    """A module: its arguments, and the ways to end."""

    def __init__(self, argument_spec, bypass_checks=False, no_log=False, mutually_exclusive=None,
                 required_together=None, required_one_of=None, add_file_common_args=False, supports_check_mode=False,
                 required_if=None, required_by=None):
        self._name = os.path.basename(sys.argv[0])
        self.argument_spec = dict(argument_spec)
        self.supports_check_mode = supports_check_mode
        self.bypass_checks = bypass_checks
        self.no_log = no_log
        self.mutually_exclusive, self.required_together = mutually_exclusive, required_together
        self.required_one_of, self.required_if, self.required_by = required_one_of, required_if, required_by
        self.cleanup_files = []
        self.run_command_environ_update = {}
        self.no_log_values = set()
        self.aliases = {}
        self._made_tmpdir = None
        if add_file_common_args:
            for name, about in FILE_COMMON_ARGUMENTS.items():
                self.argument_spec.setdefault(name, about)
        self.params = _load_params()
        for name, (attribute, default) in _PASSED.items():
            value = self.params.pop("_ansible_" + name, None)
            if attribute == "no_log":
                value = bool(value) or no_log
            elif value is None:
                value = getattr(self, attribute, default) if attribute == "_name" else default
            setattr(self, attribute, value)
        for name in [name for name in self.params if name.startswith("_ansible_")]:
            del self.params[name]
        for name, about in self.argument_spec.items():
            for alias in about.get("aliases") or ():
                self.aliases[alias] = name
        try:
            usable = os.access(os.getcwd(), os.R_OK)
        except OSError:
            usable = False
        if not usable:
            for place in (os.path.expandvars("$HOME"), tempfile.gettempdir()):
                try:
                    os.chdir(place)
                    break
                except OSError:
                    continue
        validator = ArgumentSpecValidator(self.argument_spec, mutually_exclusive, required_together, required_one_of,
                                          required_if, required_by)
        result = validator.validate(self.params)
        self.params.clear()
        self.params.update(result.validated_parameters)
        self.no_log_values.update(result._no_log_values)
        if result.errors and not bypass_checks:
            self.fail_json(msg=str(result.errors[0]))
        if result.unsupported_parameters and not bypass_checks and not self._ignore_unknown_opts:
            self._unsupported(result.unsupported_parameters)
        if self.check_mode and not supports_check_mode:
            self.exit_json(skipped=True,
                           msg="remote module (%s) does not support check mode" % self._name)
        if not self.no_log:
            self._log_invocation()

    def _unsupported(self, names):
        listed = []
        for name, about in sorted(self.argument_spec.items()):
            aliases = about.get("aliases")
            listed.append("%s (%s)" % (name, ", ".join(sorted(aliases))) if aliases else name)
        self.params = {k: v for k, v in self.params.items() if k not in names}
        self.fail_json(msg="Unsupported parameters for (%s) module: %s. Supported parameters include: %s."
                           % (self._name, ", ".join(sorted(names)), ", ".join(listed)))

    # how it ends

    def exit_json(self, **kwargs):
        self.do_cleanup_files()
        self._answer(kwargs)
        sys.exit(0)

    def fail_json(self, msg, **kwargs):
        kwargs["failed"] = True
        kwargs["msg"] = msg
        if "exception" not in kwargs and sys.exc_info()[2] and (self._debug or self._verbosity >= 3):
            kwargs["exception"] = "".join(traceback.format_tb(sys.exc_info()[2]))
        self.do_cleanup_files()
        self._answer(kwargs)
        sys.exit(1)

    def fail_on_missing_params(self, required_params=None):
        missing = [name for name in required_params or () if not self.params.get(name)]
        if missing:
            self.fail_json(msg="missing required arguments: %s" % ", ".join(missing))

    def _answer(self, result):
        if "invocation" not in result:
            result["invocation"] = {"module_args": self.params}
        for warning in _list(result.get("warnings")):
            self.warn(warning)
        for entry in _list(result.get("deprecations")):
            if isinstance(entry, Mapping):
                self.deprecate(entry["msg"], version=entry.get("version"), date=entry.get("date"),
                               collection_name=entry.get("collection_name"))
            elif isinstance(entry, (list, tuple)):
                self.deprecate(entry[0], version=entry[1])
            else:
                self.deprecate(entry)
        for name, said in (("warnings", _warnings.get_warning_messages()),
                           ("deprecations", _warnings.get_deprecation_messages())):
            if said:
                result[name] = list(said)
            else:
                result.pop(name, None)
        result = remove_values(json_dict_bytes_to_unicode(result), self.no_log_values)
        print("\n%s" % self.jsonify(result))
        sys.stdout.flush()

    def warn(self, warning):
        _warnings.warn(warning)
        self.log("[WARNING] %s" % warning)

    def deprecate(self, msg, version=None, date=None, collection_name=None, **_):
        if version is not None and date is not None:
            raise AssertionError("implementation error -- version and date must not both be set")
        _warnings.deprecate(msg, version=version, date=date, collection_name=collection_name)
        self.log("[DEPRECATION WARNING] %s %s" % (msg, date or version))

    def jsonify(self, data):
        return jsonify(data)

    def from_json(self, data):
        return json.loads(data)

    def boolean(self, arg):
        if arg is None:
            return arg
        try:
            return boolean(arg)
        except TypeError as error:
            self.fail_json(msg=to_native(error))

    def safe_eval(self, value, locals=None, include_exceptions=False):
        return safe_eval(value, locals, include_exceptions)

    # the log of the machine

    def debug(self, msg):
        if self._debug:
            self.log("[debug] %s" % msg)

    def log(self, msg, log_args=None):
        if self.no_log:
            return
        text = "; ".join(to_text(msg).splitlines())
        if self._target_log_info:
            text = "%s %s" % (self._target_log_info, text)
        text = remove_values(text, self.no_log_values).replace("\0", "")
        try:
            facility = getattr(syslog, self._syslog_facility, syslog.LOG_USER)
            syslog.openlog("ansible-%s" % self._name, 0, facility)
            syslog.syslog(syslog.LOG_INFO, text)
        except (OSError, TypeError, ValueError):
            pass

    def _log_invocation(self):
        shown = []
        for name, value in self.params.items():
            about = self.argument_spec.get(name, {})
            if about.get("no_log"):
                value = "NOT_LOGGING_PARAMETER"
            elif about.get("no_log") is None and _looks_secret(name) and value is not None:
                value = "NOT_LOGGING_PASSWORD"
            shown.append("%s=%s" % (name, heuristic_log_sanitize(to_text(value), self.no_log_values)))
        self.log("Invoked with %s" % " ".join(shown) if shown else "Invoked")

    # files

    @property
    def tmpdir(self):
        if self._tmpdir and os.path.isdir(self._tmpdir):
            return self._tmpdir
        base = os.path.expanduser(os.path.expandvars(self._remote_tmp)) if self._remote_tmp else None
        if base and not os.path.isdir(base):
            try:
                os.makedirs(base, 0o700)
            except OSError:
                base = None
        made = tempfile.mkdtemp(prefix="ansible-moduletmp-", dir=base)
        if not self._keep_remote_files:
            atexit.register(shutil.rmtree, made, True)
        self._tmpdir = made
        return made

    def get_bin_path(self, arg, required=False, opt_dirs=None):
        try:
            return get_bin_path(arg, opt_dirs)
        except ValueError as error:
            if required:
                self.fail_json(msg=to_text(error))
            return None

    def is_executable(self, path):
        return is_executable(path)

    def digest_from_file(self, filename, algorithm):
        if not os.path.exists(filename):
            return None
        if os.path.isdir(filename):
            self.fail_json(msg="attempted to take checksum of directory: %s" % filename)
        try:
            digest = algorithm if hasattr(algorithm, "hexdigest") else hashlib.new(algorithm)
        except ValueError:
            self.fail_json(msg="Could not hash file '%s' with algorithm '%s'. Available algorithms: %s"
                               % (filename, algorithm, ", ".join(sorted(hashlib.algorithms_available))))
        with open(os.path.realpath(filename), "rb") as file:
            for piece in iter(lambda: file.read(1 << 16), b""):
                digest.update(piece)
        return digest.hexdigest()

    def md5(self, filename):
        return self.digest_from_file(filename, "md5")

    def sha1(self, filename):
        return self.digest_from_file(filename, "sha1")

    def sha256(self, filename):
        return self.digest_from_file(filename, "sha256")

    def backup_local(self, fn):
        if not os.path.exists(fn):
            return ""
        copy = "%s.%s.%s" % (fn, os.getpid(), time.strftime("%Y-%m-%d@%H:%M:%S~"))
        try:
            self.preserved_copy(fn, copy)
        except OSError as error:
            self.fail_json(msg="Could not make backup of %s to %s: %s" % (fn, copy, to_native(error)))
        return copy

    def preserved_copy(self, src, dest):
        shutil.copy2(src, dest)
        about = os.stat(src)
        try:
            os.chown(dest, about.st_uid, about.st_gid)
        except PermissionError:
            pass

    def cleanup(self, tmpfile):
        if os.path.exists(tmpfile):
            try:
                os.unlink(tmpfile)
            except OSError as error:
                sys.stderr.write("could not cleanup %s: %s" % (tmpfile, to_native(error)))

    def add_cleanup_file(self, path):
        if path not in self.cleanup_files:
            self.cleanup_files.append(path)

    def do_cleanup_files(self):
        for path in self.cleanup_files:
            self.cleanup(path)

    def atomic_move(self, src, dest, unsafe_writes=False, keep_dest_attrs=True):
        """Puts src in the place of dest, which is never seen half."""
        src, dest = to_text(src), to_text(dest)
        fresh = not os.path.exists(dest)
        try:
            if not fresh and keep_dest_attrs:
                about = os.stat(dest)
                os.chmod(src, about.st_mode & PERM_BITS)
                try:
                    os.chown(src, about.st_uid, about.st_gid)
                except PermissionError:
                    pass
            try:
                os.rename(src, dest)
            except OSError:
                directory = os.path.dirname(dest) or "."
                handle, beside = tempfile.mkstemp(prefix=".ansible_tmp", suffix=os.path.basename(dest), dir=directory)
                os.close(handle)
                try:
                    shutil.copy2(src, beside)
                    about = os.stat(src)
                    try:
                        os.chown(beside, about.st_uid, about.st_gid)
                    except PermissionError:
                        pass
                    os.rename(beside, dest)
                except OSError:
                    self.cleanup(beside)
                    raise
                self.cleanup(src)
            if fresh:
                mask = os.umask(0)
                os.umask(mask)
                os.chmod(dest, DEFAULT_PERM & ~mask)
        except OSError as error:
            if unsafe_writes:
                try:
                    with open(src, "rb") as source, open(dest, "wb") as target:
                        shutil.copyfileobj(source, target)
                    return
                except OSError as other:
                    error = other
            self.fail_json(msg="Could not replace file: %s to %s: %s" % (src, dest, to_native(error)))

    # owner, group, mode

    def load_file_common_arguments(self, params, path=None):
        path = path or params.get("path") or params.get("dest")
        if path is None:
            return {}
        path = os.path.expanduser(os.path.expandvars(path))
        if params.get("follow") and os.path.islink(path):
            path = os.path.realpath(path)
        for name in ("seuser", "serole", "selevel", "setype"):
            if params.get(name) is not None:
                self.fail_json(msg="`%s` is not built into runbook's `ansible.module_utils`" % name)
        return {"path": path, "mode": params.get("mode"), "owner": params.get("owner"), "group": params.get("group"),
                "secontext": [None, None, None], "attributes": params.get("attributes")}

    def selinux_enabled(self):
        return False

    def selinux_mls_enabled(self):
        return False

    def selinux_initial_context(self):
        return [None, None, None]

    def selinux_default_context(self, path, mode=0):
        return [None, None, None]

    def set_context_if_different(self, path, context, changed, diff=None):
        return changed

    def user_and_group(self, path, expand=True):
        about = os.lstat(os.path.expanduser(os.path.expandvars(path)) if expand else path)
        return about.st_uid, about.st_gid

    def _set_id(self, path, wanted, changed, diff, lookup, kind):
        if wanted is None:
            return changed
        try:
            number = int(wanted)
        except ValueError:
            try:
                number = lookup(wanted)
            except KeyError:
                self.fail_json(path=path, msg="chown failed: failed to look up %s %s" % (
                    "user" if kind == "owner" else "group", wanted))
        now = os.lstat(path)
        have = now.st_uid if kind == "owner" else now.st_gid
        if have == number:
            return changed
        if diff is not None:
            diff.setdefault("before", {})[kind] = have
            diff.setdefault("after", {})[kind] = number
        if not self.check_mode:
            try:
                os.lchown(path, number if kind == "owner" else -1, -1 if kind == "owner" else number)
            except OSError as error:
                self.fail_json(path=path, msg="chown failed: %s" % to_text(error))
        return True

    def set_owner_if_different(self, path, owner, changed, diff=None, expand=True):
        return self._set_id(path, owner, changed, diff, lambda name: pwd.getpwnam(name).pw_uid, "owner")

    def set_group_if_different(self, path, group, changed, diff=None, expand=True):
        return self._set_id(path, group, changed, diff, lambda name: grp.getgrnam(name).gr_gid, "group")

    def set_mode_if_different(self, path, mode, changed, diff=None, expand=True):
        if mode is None:
            return changed
        now = os.lstat(path)
        if stat.S_ISLNK(now.st_mode):
            return changed
        if not isinstance(mode, int):
            try:
                mode = int(mode, 8)
            except ValueError:
                try:
                    mode = self._symbolic_mode_to_octal(now, mode)
                except ValueError as error:
                    self.fail_json(path=path, msg="mode must be in octal or symbolic form", details=to_native(error))
        have = stat.S_IMODE(now.st_mode)
        if have == mode:
            return changed
        if diff is not None:
            diff.setdefault("before", {})["mode"] = "0%03o" % have
            diff.setdefault("after", {})["mode"] = "0%03o" % mode
        if not self.check_mode:
            try:
                os.chmod(path, mode)
            except OSError as error:
                self.fail_json(path=path, msg="chmod failed", details=to_native(error))
        return True

    @staticmethod
    def _symbolic_mode_to_octal(about, text):
        mode = stat.S_IMODE(about.st_mode)
        directory = stat.S_ISDIR(about.st_mode)
        shift = {"u": 6, "g": 3, "o": 0}
        for clause in text.split(","):
            found = re.match(r"^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$", clause)
            if not found:
                raise ValueError("bad symbolic permission for mode: %s" % clause)
            who = found.group(1).replace("a", "ugo") or "ugo"
            for operator, letters in re.findall(r"([-+=])([rwxXst]*|[ugo])", found.group(2)):
                for one in who:
                    if letters in ("u", "g", "o") and letters:
                        bits = ((mode >> shift[letters]) & 7) << shift[one]
                    else:
                        bits = 0
                        for letter in letters:
                            if letter in "rwx":
                                bits |= {"r": 4, "w": 2, "x": 1}[letter] << shift[one]
                            elif letter == "X" and (directory or mode & 0o111):
                                bits |= 1 << shift[one]
                            elif letter == "s" and one in "ug":
                                bits |= 0o4000 if one == "u" else 0o2000
                            elif letter == "t":
                                bits |= 0o1000
                    if operator == "+":
                        mode |= bits
                    elif operator == "-":
                        mode &= ~bits
                    else:
                        mode = mode & ~(7 << shift[one]) | bits
        return mode

    def set_attributes_if_different(self, path, attributes, changed, diff=None, expand=True):
        if attributes is not None:
            self.fail_json(path=path, msg="`attributes` is not built into runbook's `ansible.module_utils`")
        return changed

    def set_fs_attributes_if_different(self, file_args, changed, diff=None, expand=True):
        path = file_args["path"]
        changed = self.set_owner_if_different(path, file_args.get("owner"), changed, diff)
        changed = self.set_group_if_different(path, file_args.get("group"), changed, diff)
        changed = self.set_mode_if_different(path, file_args.get("mode"), changed, diff)
        return self.set_attributes_if_different(path, file_args.get("attributes"), changed, diff)

    def set_file_attributes_if_different(self, file_args, changed, diff=None, expand=True):
        return self.set_fs_attributes_if_different(file_args, changed, diff, expand)

    def set_directory_attributes_if_different(self, file_args, changed, diff=None, expand=True):
        return self.set_fs_attributes_if_different(file_args, changed, diff, expand)

    def check_file_absent_if_check_mode(self, file_path):
        return self.check_mode and not os.path.exists(file_path)

    def add_path_info(self, kwargs):
        path = kwargs.get("path", kwargs.get("dest"))
        if path is None:
            return kwargs
        if not os.path.lexists(path):
            kwargs["state"] = "absent"
            return kwargs
        about = os.lstat(path)
        names = []
        for number, lookup in ((about.st_uid, lambda n: pwd.getpwuid(n).pw_name),
                               (about.st_gid, lambda n: grp.getgrgid(n).gr_name)):
            try:
                names.append(lookup(number))
            except KeyError:
                names.append(str(number))
        kind = ("link" if stat.S_ISLNK(about.st_mode) else "directory" if stat.S_ISDIR(about.st_mode)
                else "hard" if about.st_nlink > 1 else "file")
        kwargs.update(uid=about.st_uid, gid=about.st_gid, owner=names[0], group=names[1],
                      mode="%04o" % stat.S_IMODE(about.st_mode), state=kind, size=about.st_size)
        return kwargs

    # programs

    def run_command(self, args, check_rc=False, close_fds=True, executable=None, data=None, binary_data=False,
                    path_prefix=None, cwd=None, use_unsafe_shell=False, prompt_regex=None, environ_update=None,
                    umask=None, encoding="utf-8", errors="surrogate_or_strict", expand_user_and_vars=True,
                    pass_fds=None, before_communicate_callback=None, ignore_invalid_cwd=True,
                    handle_exceptions=True):
        """Runs a program; its exit code, output and complaints."""
        if not isinstance(args, (list, str, bytes)):
            self.fail_json(rc=257, cmd=args, msg="Argument 'args' to run_command must be list or string")
        shell = False
        if use_unsafe_shell:
            line = " ".join(shlex.quote(to_text(word)) for word in args) if isinstance(args, list) else to_text(args)
            if executable:
                command = [executable, "-c", line]
            else:
                command, shell = line, True
        else:
            words = shlex.split(to_text(args)) if not isinstance(args, list) else [to_text(w) for w in args]
            if expand_user_and_vars:
                words = [os.path.expanduser(os.path.expandvars(word)) for word in words]
            command = words
        environment = dict(os.environ)
        environment.update(self.run_command_environ_update)
        environment.update({k: to_text(v) for k, v in (environ_update or {}).items()})
        if path_prefix:
            environment["PATH"] = "%s:%s" % (path_prefix, environment.get("PATH", ""))
        if cwd:
            cwd = os.path.abspath(os.path.expanduser(to_text(cwd)))
            if not os.path.isdir(cwd):
                if not ignore_invalid_cwd:
                    self.fail_json(msg="Provided cwd is not a valid directory: %s" % cwd)
                cwd = None
        prompt = None
        if prompt_regex:
            try:
                prompt = re.compile(to_bytes(prompt_regex), re.MULTILINE)
            except re.error:
                self.fail_json(msg="invalid prompt regular expression given to run_command")
        if data is not None and not binary_data:
            data = to_bytes(data) + b"\n"
        shown = args if isinstance(args, (str, list)) else to_text(args)
        old_mask = os.umask(umask) if umask else None
        try:
            self.debug("Executing: %s" % heuristic_log_sanitize(str(shown), self.no_log_values))
            child = subprocess.Popen(
                command, executable=executable if shell else None, shell=shell, close_fds=close_fds,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd, env=environment,
                preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_DFL), **(
                    {"pass_fds": pass_fds} if pass_fds else {}))
            if before_communicate_callback:
                before_communicate_callback(child)
            out, err, asked = _talk(child, data, prompt)
            if asked:
                return 257, out, "A prompt was encountered while running a command, but no input data was specified"
            rc = child.returncode
        except OSError as error:
            if not handle_exceptions:
                raise
            self.fail_json(rc=error.errno, stdout="", stderr="", msg=to_native(error),
                           cmd=heuristic_log_sanitize(str(shown), self.no_log_values))
        finally:
            if old_mask is not None:
                os.umask(old_mask)
        if encoding is not None:
            out, err = to_text(out, encoding, errors), to_text(err, encoding, errors)
        if check_rc and rc != 0:
            complaint = heuristic_log_sanitize(to_text(err).rstrip(), self.no_log_values)
            self.fail_json(cmd=heuristic_log_sanitize(str(shown), self.no_log_values), rc=rc, stdout=out, stderr=err,
                           msg=complaint)
        return rc, out, err

    def append_to_file(self, filename, str):
        with open(os.path.expanduser(os.path.expandvars(filename)), "a") as file:
            file.write(str)

    def bytes_to_human(self, size):
        return bytes_to_human(size)

    pretty_bytes = bytes_to_human

    def human_to_bytes(self, number, isbits=False):
        return human_to_bytes(number, isbits)

    def get_buffer_size(self, fd):
        return 1 << 16


def _talk(child, data, prompt):
    """Feeds a program and collects what it says; whether it asked for something."""
    if prompt is None:
        out, err = child.communicate(data)
        return out, err, False
    if data:
        child.stdin.write(data)
    child.stdin.close()
    parts = {child.stdout: b"", child.stderr: b""}
    with selectors.DefaultSelector() as selector:
        for stream in parts:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select(1):
                piece = os.read(key.fileobj.fileno(), 1 << 15)
                if not piece:
                    selector.unregister(key.fileobj)
                parts[key.fileobj] += piece
            if not data and prompt.search(parts[child.stdout]):
                child.kill()
                child.wait()
                return parts[child.stdout], parts[child.stderr], True
    child.wait()
    return parts[child.stdout], parts[child.stderr], False


def _list(value):
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple, set)) else [value]


def get_module_path():
    return os.path.dirname(os.path.realpath(__file__))
