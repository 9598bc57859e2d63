#!/usr/bin/env python3
"""Runs Ansible's integration targets (test/integration/targets/* of ansible-core's source archive) against any program
that answers to the names ansible-playbook, ansible, ansible-inventory, …  Standard library only. `run` beside this file
fetches what it needs; README.md says what a result means.

  harness.py --bin BIN --checkout DIR --python PYTHON [options] [TARGET...]

BIN is a directory that holds these commands, or one executable that goes by its name.

A line per target: PASS|FAIL|TIMEOUT|SKIP  target  seconds  [reason]. Exit status 1 if a target fails that is not known to,
or one passes that is.
"""
from __future__ import annotations
import argparse, concurrent.futures, json, os, re, shlex, shutil, signal, subprocess, sys, tempfile, time

CLIS = ('ansible-playbook', 'ansible', 'ansible-inventory', 'ansible-vault', 'ansible-galaxy', 'ansible-doc',
        'ansible-config', 'ansible-console', 'ansible-pull')
UNICODE_SUFFIX = '-\u00c5\u00d1\u015a\u00cc\u03b2\u0141\u00c8'   # what ansible-test appends to the temp dir name


def aliases(tdir):
    try:
        with open(os.path.join(tdir, 'aliases')) as f:
            return [l.split('#')[0].strip() for l in f if l.split('#')[0].strip()]
    except FileNotFoundError:
        return []


def walk(d):
    for root, _dirs, files in os.walk(d):
        for n in files + _dirs:
            yield os.path.join(root, n)


class Checkout:
    def __init__(self, root):
        self.root = os.path.realpath(root)
        self.rel = 'test/integration/targets'
        self.tdir = os.path.join(self.root, self.rel)
        self.names = sorted(n for n in os.listdir(self.tdir) if os.path.isdir(os.path.join(self.tdir, n)))
        # names that other targets pull in through meta/*: hidden role targets
        self.hidden = [n for n in self.names if not self.script(n) and
                       (n.startswith(('setup_', 'prepare_')) or 'hidden' in aliases(self.path(n)))]

    def path(self, n):
        return os.path.join(self.tdir, n)

    def script(self, n):
        return os.path.exists(os.path.join(self.path(n), 'runme.sh'))

    def setup(self, n, kind):
        return sorted({a.split('/')[2] for a in aliases(self.path(n)) if a.startswith('setup/%s/' % kind)})

    def deps(self, name):
        """closure of needs/target, setup/*, meta/* (textual match, as ansible-test does) and symlinked targets"""
        seen, todo = set(), [name]
        while todo:
            n = todo.pop()
            if n in seen or n not in self.names:
                continue
            seen.add(n)
            d = self.path(n)
            todo += [a.split('/')[2] for a in aliases(d) if a.startswith(('needs/target/', 'setup/once/', 'setup/always/'))]
            meta = os.path.join(d, 'meta')
            if os.path.isdir(meta):
                for f in os.listdir(meta):
                    try:
                        lines = open(os.path.join(meta, f), encoding='utf-8').read().splitlines()
                    except (UnicodeDecodeError, IsADirectoryError):
                        continue
                    for l in lines:
                        if not re.search(r'^ *#', l):
                            todo += [h for h in self.hidden if h in l]
            for p in walk(d):
                if os.path.islink(p):
                    r = os.path.realpath(p)
                    if r.startswith(self.tdir + '/'):
                        todo.append(r[len(self.tdir) + 1:].split('/')[0])
        return sorted(seen)

    def needs_files(self, names):
        out = set()
        for n in names:
            for a in aliases(self.path(n)):
                if a.startswith('needs/file/') and not a.startswith('needs/file/' + self.rel):
                    out.add(a[len('needs/file/'):])
        return sorted(out)


# What takes ansible-core at least a second can take runbook some hundredths of one, and there are targets that rest on
# the former: they look at what a `tee` of theirs has written as soon as the command that it reads has ended, or expect
# `date` to be another after two runs of ansible-pull. So a command that writes to a pipe ends this many seconds later.
PAUSE, PAUSES = 0.1, {'ansible-pull': 0.6}


def make_shims(opts, shim):
    """PATH directory: the CLIs under test plus python/python3/pip (runme.sh helpers call them)."""
    names = os.path.join(shim, 'names')
    os.makedirs(names, exist_ok=True)

    def script(name, text):
        p = os.path.join(shim, name)
        with open(p, 'w') as f:
            f.write('#!/bin/sh\n' + text)
        os.chmod(p, 0o755)

    def wrapper(name, *cmd):
        script(name, 'exec %s "$@"\n' % ' '.join(shlex.quote(c) for c in cmd))

    for n in ('python', 'python3', 'python.py'):
        wrapper(n, opts.python)
    wrapper('pip', opts.python, '-m', 'pip')
    with open(os.path.join(shim, 'virtualenv.sh'), 'w') as f:   # `source virtualenv.sh` in some runme.sh
        f.write('rm -rf "${OUTPUT_DIR}/venv"\n%s -m venv --system-site-packages "${OUTPUT_DIR}/venv" >/dev/null\n'
                'set +ux\nsource "${OUTPUT_DIR}/venv/bin/activate"\nset -ux\n' % shlex.quote(opts.python))
    for n in CLIS:
        if opts.directory:
            # a program of a virtual environment names its Python by the place where it was installed
            wrapper(n, opts.python, os.path.join(opts.bin, n))
        else:
            named = os.path.join(names, n)
            os.symlink(opts.bin, named)
            script(n, '[ -p /dev/stdout ] || [ -p /dev/stderr ] || exec {0} "$@"\n'
                      '{0} "$@"; code=$?; sleep {1}; exit $code\n'.format(shlex.quote(named), PAUSES.get(n, PAUSE)))
    return shim


def environment(opts, base, temp, target, shim):
    integ = os.path.join(temp, 'test/integration')
    env = dict(
        LC_ALL=opts.locale, HOME=opts.home or os.environ.get('HOME', '/root'),
        PATH=shim + ':' + os.environ.get('PATH', os.defpath),
        ANSIBLE_FORCE_COLOR='false', ANSIBLE_FORCE_HANDLERS='true', ANSIBLE_HOST_PATTERN_MISMATCH='error',
        ANSIBLE_INVENTORY='/dev/null', ANSIBLE_DEPRECATION_WARNINGS='false', ANSIBLE_HOST_KEY_CHECKING='false',
        ANSIBLE_RETRY_FILES_ENABLED='false', ANSIBLE_CONFIG=os.path.join(integ, 'integration.cfg'),
        ANSIBLE_DEVEL_WARNING='false', PAGER='/bin/cat',
        ANSIBLE_PYTHON_INTERPRETER='/set/ansible_python_interpreter/in/inventory',
        ANSIBLE_LIBRARY=os.path.join(opts.library, 'test/support/integration/plugins/modules'),
        ANSIBLE_TEST_PYTHON_INTERPRETER=opts.python, ANSIBLE_TEST_PYTHON_VERSION='3', PYTHONPATH=opts.pythonpath,
        ANSIBLE_TEST_CI='', ANSIBLE_TEST_COVERAGE='',
        OUTPUT_DIR=os.path.join(base, 'output_dir'), INVENTORY_PATH=os.path.join(integ, 'inventory'),
        ANSIBLE_WORKER_SHUTDOWN_POLL_COUNT='100', ANSIBLE_WORKER_SHUTDOWN_POLL_DELAY='0.1',
    )
    for k in ('SSH_AUTH_SOCK', 'LD_LIBRARY_PATH', 'PIP_FIND_LINKS', 'PIP_CERT', 'PIP_INDEX_URL', 'SSL_CERT_FILE',
              'REQUESTS_CA_BUNDLE', 'http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'):
        if k in os.environ:
            env[k] = os.environ[k]
    for kv in opts.env:
        k, _, v = kv.partition('=')
        env[k] = v
    return env


def stage(opts, base, target):
    """copy target + dependencies into a fresh tree that mirrors <content root>/test/integration/targets"""
    co = opts.co
    suffix = '-ansible' if 'no/temp_unicode' in aliases(co.path(target)) else UNICODE_SUFFIX
    temp = tempfile.mkdtemp(prefix=target + '-', suffix=suffix, dir=base)
    os.chmod(temp, 0o755)
    integ = os.path.join(temp, 'test/integration')
    deps = co.deps(target)
    for n in deps:
        shutil.copytree(co.path(n), os.path.join(temp, co.rel, n), symlinks=True)
    for f in co.needs_files(deps):
        if not os.path.exists(os.path.join(co.root, f)):   # sdist has no hacking/
            continue
        os.makedirs(os.path.dirname(os.path.join(temp, f)), exist_ok=True)
        shutil.copy2(os.path.join(co.root, f), os.path.join(temp, f))
    open(os.path.join(integ, 'integration.cfg'), 'w').write('')
    al = aliases(co.path(target))
    is_module = os.path.exists(os.path.join(co.root, 'lib/ansible/modules', target + '.py')) or 'context/target' in al
    if 'needs/ssh' in al and is_module:     # module tests with needs/ssh get an ssh inventory
        conn = 'ansible_connection="ssh" ansible_host="localhost" ansible_port="22" ansible_user="root"'
    else:
        conn = 'ansible_connection="local"'
    with open(os.path.join(integ, 'inventory'), 'w') as f:
        f.write('[testgroup]\ntesthost %s ansible_pipelining="yes" ansible_python_interpreter="%s"\n' % (conn, opts.python))
    return temp


def command(opts, temp, target, base):
    """-> (argv, cwd, extra env)"""
    integ = os.path.join(temp, 'test/integration')
    v = ['-' + 'v' * opts.verbose] if opts.verbose else []
    if opts.co.script(target):
        cwd = os.path.join(integ, 'targets', target)
        return ['./runme.sh'] + v, cwd, dict(ANSIBLE_PLAYBOOK_DIR=cwd)
    gather = 'gather_facts/no' not in aliases(opts.co.path(target))
    play = dict(hosts='testhost', gather_facts=gather, vars_files=[],
                vars=dict(output_dir=os.path.join(base, 'output_dir')), roles=[target])
    fd, pb = tempfile.mkstemp(prefix=target + '-', suffix='.yml', dir=integ)
    os.write(fd, json.dumps([play], indent=4, sort_keys=True).encode())
    os.close(fd)
    argv = ['ansible-playbook', os.path.basename(pb), '-i', 'inventory'] + v + opts.extra
    return argv, integ, dict(ANSIBLE_PLAYBOOK_DIR=integ, ANSIBLE_ROLES_PATH=os.path.join(integ, 'targets'))


SANDBOX = r'''set -e
O=/tmp/.cf-ovl; mkdir -p $O; mount --make-rprivate /
mount -t tmpfs -o size=6g none $O; mkdir $O/u $O/w $O/m; chmod 755 $O/u
for d in $CF_LOWER; do cp -a "$d/." $O/u/; done   # seed the upper layer
mount -t overlay overlay -o lowerdir=/,upperdir=$O/u,workdir=$O/w $O/m
mount -t proc proc $O/m/proc; mount --rbind /sys $O/m/sys; mount --rbind /dev $O/m/dev
mount -t tmpfs none $O/m/run; mkdir -p $O/m/run/lock; chmod 1777 $O/m/run/lock
for d in $CF_BIND; do mkdir -p "$O/m$d"; mount --bind "$d" "$O/m$d"; done
# targets install into the Python of the cache, too
if [ -n "$CF_CACHE" ]; then
    mkdir -p $O/m$CF_PLACE $O/cu $O/cw; chmod 755 $O/cu
    mount -t overlay overlay -o lowerdir="$CF_CACHE",upperdir=$O/cu,workdir=$O/cw $O/m$CF_PLACE
fi
export CF_SSH
exec env -u CF_BIND -u CF_LOWER -u CF_CACHE -u CF_PLACE chroot $O/m sh -c '
ip link set lo up 2>/dev/null || true; hash -r
if [ -n "$CF_SSH" ]; then mkdir -p /run/sshd; /usr/sbin/sshd; fi
cd "$0" && exec "$@"' "$CF_CWD" "$@"
'''


# Where the cache is seen in the sandbox: other users must be able to read it, and its own place may be in a home directory.
PLACE = '/opt/runbook-conformance'


def run(opts, argv, cwd, log, ssh):
    env = dict(PATH=os.environ.get('PATH', os.defpath))
    if opts.sandbox == 'overlay':
        env['CF_CWD'] = cwd
        root = os.stat('/').st_dev
        env['CF_BIND'] = ' '.join(d for d in opts.bind if os.stat(d).st_dev != root)
        env['CF_LOWER'] = ' '.join(opts.lower)
        env['CF_CACHE'] = opts.cache or ''
        env['CF_PLACE'] = PLACE
        env['CF_SSH'] = '1' if ssh else ''
        # sshd of the sandbox listens on a loopback of its own
        ns = ['-m', '-p', '-u', '-i'] + (['-n'] if ssh else [])
        argv = ['unshare', *ns, '--fork', '--kill-child=KILL', 'bash', '-c', SANDBOX, 'sandbox'] + argv
        cwd = '/'
    p = subprocess.Popen(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                         start_new_session=True)
    try:
        return p.wait(timeout=opts.timeout)
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGTERM)
        try:
            p.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            p.wait()
        return 'timeout'


RECAP = re.compile(r'^\S+\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)\s+skipped=(\d+)\s+rescued=(\d+)\s+ignored=(\d+)', re.M)


def recap(path):
    """sum of all PLAY RECAP lines in a log; a fingerprint that shows tasks were really run (exit 0 alone proves little)"""
    try:
        rows = RECAP.findall(re.sub(r'\x1b\[[0-9;]*m', '', open(path, errors='replace').read()))
    except OSError:
        return ''
    return '/'.join(str(sum(int(r[i]) for r in rows)) for i in range(7))


def test_one(opts, target):
    al = aliases(opts.co.path(target))
    ssh = 'needs/ssh' in al
    if ssh and opts.sandbox != 'overlay':
        return 'SKIP', 0, 'needs/ssh'
    for bad in ('needs/httptester', 'windows', 'hidden', 'disabled'):
        if bad in al and not (bad == 'windows' and 'posix' in al):
            return 'SKIP', 0, bad
    if any(a.startswith(('cloud/', 'network/')) for a in al):
        return 'SKIP', 0, 'cloud/network'
    base = tempfile.mkdtemp(prefix='cf-', dir=opts.work)
    os.chmod(base, 0o755)
    start = time.time()
    with open(os.path.join(opts.logs, target + '.log'), 'wb') as log:
        try:
            shim = make_shims(opts, os.path.join(base, 'bin'))
            out = os.path.join(base, 'output_dir')
            if not opts.home:
                opts_home = os.path.join(base, 'home')
                os.makedirs(opts_home)
            # one script for setup targets + the target itself, so that all of them share one sandbox
            steps = os.path.join(base, 'steps.sh')
            with open(steps, 'w') as f:
                f.write('#!/bin/bash\nset -e\n')
                for t in opts.co.setup(target, 'once') + opts.co.setup(target, 'always') + [target]:
                    temp = stage(opts, base, t)
                    argv, cwd, extra = command(opts, temp, t, base)
                    env = environment(opts, base, temp, t, shim)
                    if not opts.home:
                        env['HOME'] = opts_home
                    env.update(extra)
                    f.write('echo %s\n' % shlex.quote('### %s: %s (cwd %s)' % (t, ' '.join(argv), cwd)))
                    f.write('rm -rf {0}; mkdir -p {0}; cd {1}\n'.format(shlex.quote(out), shlex.quote(cwd)))
                    f.write('env -i \\\n%s  %s </dev/null\n' % (
                        ''.join('  %s \\\n' % shlex.quote('%s=%s' % kv) for kv in sorted(env.items())),
                        ' '.join(shlex.quote(a) for a in argv)))
            rc = run(opts, ['bash', steps], base, log, ssh)
            if rc != 0:
                return ('TIMEOUT' if rc == 'timeout' else 'FAIL'), time.time() - start, 'rc=%s' % rc
            return 'PASS', time.time() - start, ''
        finally:
            if not opts.keep:
                shutil.rmtree(base, ignore_errors=True)


def table(path):
    """first column -> second, of a file of tab separated lines"""
    if not path:
        return {}
    with open(path) as f:
        rows = [l.rstrip('\n').split('\t') for l in f if l.strip() and not l.startswith('#')]
    return {row[0]: row[1] if len(row) > 1 else '' for row in rows}


def verdict(opts, target, deadline):
    """-> status, seconds, reason, recap; PASS only if the recap is the expected one too"""
    if target not in opts.co.names:
        return 'FAIL', 0, 'no such target', ''
    if deadline and time.time() > deadline:
        return 'SKIP', 0, 'no time left', ''
    status, seconds, why = test_one(opts, target)
    got = recap(os.path.join(opts.logs, target + '.log')) if status != 'SKIP' else ''
    want = opts.reference.get(target)
    if status == 'PASS' and want and want != got:
        status, why = 'FAIL', 'recap %s, expected %s' % (got, want)
    return status, seconds, why, got


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--bin', required=True)
    ap.add_argument('--checkout', required=True, help="ansible-core's source, with test/integration")
    ap.add_argument('--python', default='/usr/bin/python3', help='ansible_python_interpreter for testhost, and `python` in runme.sh')
    ap.add_argument('--cache', help='directory with checkout and python; in the sandbox it is seen at ' + PLACE)
    ap.add_argument('--jobs', '-j', type=int, default=1)
    ap.add_argument('--timeout', type=float, default=240, help='seconds for one target')
    ap.add_argument('--budget', type=float, help='seconds after which no further target is begun')
    ap.add_argument('--sandbox', choices=('none', 'overlay'), default='none',
                    help='overlay: throw-away overlayfs chroot + mount/pid/uts/ipc namespaces (root only)')
    ap.add_argument('--lower', action='append', default=[], help='overlay: directory laid over / first (prepare-layer.sh)')
    ap.add_argument('--work', help='directory of the runs, removed at the end (default: a new one)')
    ap.add_argument('--logs', default=os.path.join(tempfile.gettempdir(), 'conformance-logs'))
    ap.add_argument('--home', help='HOME for the run (default: a scratch one)')
    ap.add_argument('--locale', default='C.UTF-8')
    ap.add_argument('--list', action='append', default=[], help='file with target names, one per line')
    ap.add_argument('--reference', help='TARGET<TAB>ok/changed/unreachable/failed/skipped/rescued/ignored of ansible-core')
    ap.add_argument('--recaps', help='the same, then a reason, for targets whose recap differs on purpose')
    ap.add_argument('--known', help='TARGET<TAB>reason of targets that are known to fail')
    ap.add_argument('--strict', action='store_true', help='a target that passes although it is known to fail is a failure too')
    ap.add_argument('--prune', action='store_true', help='take those that pass off the list of known failures')
    ap.add_argument('--report', help='write TARGET<TAB>status<TAB>seconds<TAB>recap<TAB>reason (JSON if it ends in .json)')
    ap.add_argument('--env', action='append', default=[], metavar='K=V')
    ap.add_argument('--extra', action='append', default=[], help='extra ansible-playbook argument (role targets)')
    ap.add_argument('--keep', action='store_true')
    ap.add_argument('-v', '--verbose', action='count', default=0)
    ap.add_argument('--tail', type=int, default=0, help='print the last N log lines of unexpected failures')
    ap.add_argument('target', nargs='*')
    opts = ap.parse_args()
    opts.co = Checkout(opts.checkout)
    overlay = opts.sandbox == 'overlay'
    opts.bin = os.path.abspath(opts.bin)
    opts.directory = os.path.isdir(opts.bin)
    if overlay and not opts.home:
        opts.home = '/root'     # writes there are thrown away with the overlay
    # some runme.sh helpers `import ansible`
    r = subprocess.run([opts.python, '-c', 'import ansible,os; print(os.path.dirname(os.path.dirname(ansible.__file__)))'],
                       capture_output=True, text=True)
    opts.pythonpath = r.stdout.strip() or os.path.join(opts.co.root, 'lib')
    opts.work = tempfile.mkdtemp(prefix='runbook-conformance-', dir=opts.work)
    os.chmod(opts.work, 0o755)
    os.makedirs(opts.logs, exist_ok=True)
    if overlay and opts.cache:
        cache = os.path.abspath(opts.cache)
        place = lambda path: PLACE + path[len(cache):] if path.startswith(cache + '/') else path
        opts.python, opts.pythonpath, opts.bin = place(opts.python), place(opts.pythonpath), place(opts.bin)
        opts.library = place(os.path.abspath(opts.checkout))
    else:
        opts.library = opts.co.root
    opts.bind = [opts.work, opts.co.root]
    if not opts.directory:          # where other users can execute it too
        opts.bin = shutil.copy(opts.bin, os.path.join(opts.work, 'runbook'))
        os.chmod(opts.bin, 0o755)
    names = list(opts.target)
    for path in opts.list if not names else ():
        with open(path) as f:
            names += [l.split('#')[0].strip() for l in f if l.split('#')[0].strip()]
    opts.reference = {**table(opts.reference), **table(opts.recaps)}
    known = table(opts.known)
    deadline = time.time() + opts.budget if opts.budget else None
    rows, regressions, unlisted = [], [], []

    def tell(target, outcome):
        status, seconds, why, got = outcome
        passed = status == 'PASS'
        if status in ('FAIL', 'TIMEOUT') and target in known:
            why = 'known: %s (%s)' % (known[target], why)
        elif status in ('FAIL', 'TIMEOUT'):
            regressions.append(target)
        elif passed and target in known:
            unlisted.append(target)
            why = 'passes, and is in the list of known failures'
        rows.append((target, status, round(seconds, 1), got, why))
        print('%-8s %-45s %6.1fs %s' % (status, target, seconds, why), flush=True)
        if opts.tail and target in regressions:
            with open(os.path.join(opts.logs, target + '.log'), errors='replace') as f:
                print(''.join('    | ' + l for l in f.readlines()[-opts.tail:]), flush=True)

    try:
        with concurrent.futures.ThreadPoolExecutor(max(1, opts.jobs)) as pool:
            futures = {pool.submit(verdict, opts, name, deadline): name for name in names}
            doubtful = []
            for future in concurrent.futures.as_completed(futures):
                name, outcome = futures[future], future.result()
                if outcome[0] in ('FAIL', 'TIMEOUT') and name not in known:
                    doubtful.append(name)
                else:
                    tell(name, outcome)
        # some targets compare what races with a `tee` of theirs, or with the clock: alone on the machine they must pass
        for name in doubtful:
            for _ in range(2):
                outcome = verdict(opts, name, None)
                if outcome[0] not in ('FAIL', 'TIMEOUT'):
                    break
            tell(name, outcome)
    finally:
        if not opts.keep:
            shutil.rmtree(opts.work, ignore_errors=True)
    rows.sort(key=lambda row: names.index(row[0]))
    if opts.report:
        head = ('target', 'status', 'seconds', 'recap', 'reason')
        with open(opts.report, 'w') as f:
            if opts.report.endswith('.json'):
                json.dump([dict(zip(head, row)) for row in rows], f, indent=1)
            else:
                for row in (head, *rows):
                    f.write('\t'.join(str(cell) for cell in row) + '\n')
    passed = sum(row[1] == 'PASS' for row in rows)
    skipped = sum(row[1] == 'SKIP' for row in rows)
    print('conformance: passed %d of %d (%d known to fail, %d skipped)' % (
        passed, len(rows), sum(row[0] in known and row[1] in ('FAIL', 'TIMEOUT') for row in rows), skipped))
    if regressions:
        print('failed, and not known to: ' + ' '.join(sorted(regressions)))
    if unlisted and opts.prune:
        with open(opts.known) as f:
            lines = [l for l in f if l.split('\t')[0] not in unlisted]
        with open(opts.known, 'w') as f:
            f.writelines(lines)
        unlisted = []
    if unlisted:
        print('passed, and to be taken off the list: ' + ' '.join(sorted(unlisted)))
    sys.exit(1 if regressions or unlisted and opts.strict else 0)


if __name__ == '__main__':
    main()
