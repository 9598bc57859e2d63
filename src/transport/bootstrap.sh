# The first thing that runs on a machine: finds or installs the agent, then becomes it.
#
# It travels as one argument of `sh -c`, inside single quotes: so it has no single quote, no
# exclamation mark and no backslash, and its lines are joined by blanks (each one ends where a
# blank may follow; comments are dropped). It needs a POSIX shell and uname, id, ls, mkdir, chmod,
# mv, rm, cp; it uses head, gzip, sha256sum, find and stty where they exist.
#
# $1 architectures: "MACHINE=SHA256:SIZE …"   $2 directory to try first, or empty
# $3 a file that may be the agent, or empty   $4 directories not to use, ":DIR:DIR"
# $5 "fresh" to install even if it is there
#
# It says lines that begin with RUNBOOK-BOOT: start MACHINE UID; arch MACHINE; need gzip|raw DIR
# (then "COUNT\n" and COUNT bytes are read); short DIR GOT SIZE; bad NOTES; nodir; run PATH.
[ -t 0 ] && stty raw -echo 2>/dev/null;
set -f;
k=$(umask); umask 077;
m=$(uname -m); u=$(id -u);
echo; echo "RUNBOOK-BOOT start $m $u";
h=;
for e in $1; do case "$e" in "$m="*) h=${e#*=};; esac; done;
if [ -z "$h" ]; then echo "RUNBOOK-BOOT arch $m"; exit 3; fi;
n=${h#*:}; h=${h%%:*};
f=agent-$(printf %.16s "$h");
p=; t=; w=;
owned() { set -- $(ls -ldn "$1/." 2>/dev/null); [ "$3" = "$u" ]; };
usable() {
  [ -n "$1" ] || return 1;
  case "$4:" in *":$1:"*) return 1;; esac;
  [ -L "$1" ] && return 1;
  if [ -d "$1" ]; then :; else
    [ -n "$2" ] || return 1;
    [ -d "${1%/*}" ] || return 1;
    mkdir "$1" 2>/dev/null || [ -d "$1" ] || return 1;
    [ -L "$1" ] && return 1;
  fi;
  set -- "$1" $(ls -ldn "$1" 2>/dev/null);
  case "$2" in drwx------*) [ "$4" = "$u" ];; *) return 1;; esac;
};
size() { set -- $(ls -ln "$1" 2>/dev/null); [ "$5" = "$n" ]; };
same() {
  command -v sha256sum >/dev/null 2>&1 || return 1;
  set -- $(sha256sum < "$1"); [ "$1" = "$h" ];
};
take() {
  if head -c 1 </dev/null >/dev/null 2>&1; then head -c "$1";
  else dd bs=1 count="$1" 2>/dev/null; fi;
};
clean() { trap "" HUP INT TERM; [ -n "$t" ] && rm -f "$t"; [ -n "$p" ] && rm -f "$p"; :; };
run() {
  trap - EXIT HUP INT TERM;
  umask "$k"; set +f;
  echo "RUNBOOK-BOOT run $1";
  exec "$1" agent;
};
r=$2;
case "$r" in "~") r=$HOME;; "~/"*) r=$HOME/${r#??};; esac;
[ -n "$r" ] && r=${r%/}/runbook-$u;
c=;
if [ -n "$XDG_CACHE_HOME" ] && owned "$XDG_CACHE_HOME"; then c=$XDG_CACHE_HOME/runbook; fi;
b=;
if [ -n "$HOME" ] && owned "$HOME"; then
  [ -n "$c" ] || [ -d "$HOME/.cache" ] || mkdir "$HOME/.cache" 2>/dev/null;
  b=$HOME/.cache/runbook;
fi;
x=$4;
dirs() {
  q=$1; shift;
  for d in "$r" "$c" "$b" "/var/tmp/runbook-$u" "/tmp/runbook-$u" "/run/user/$u/runbook" "/dev/shm/runbook-$u"; do
    if usable "$d" "$q" - "$x"; then "$@"; fi;
  done;
};
warm() { if [ -f "$d/$f" ] && [ -x "$d/$f" ] && size "$d/$f"; then run "$d/$f"; fi; };
cold() {
  t=$d/$f.$$.tmp;
  if [ -n "$p" ]; then
    cp "$p" "$t" 2>/dev/null || { rm -f "$t"; t=; return; };
    rm -f "$p"; p=;
  elif [ -n "$a" ] && cp "$a" "$t" 2>/dev/null && same "$t"; then :;
  else
    a=; z=raw; rm -f "$t";
    if ( : > "$t" ) 2>/dev/null; then :; else t=; return; fi;
    if command -v gzip >/dev/null 2>&1; then z=gzip; fi;
    echo "RUNBOOK-BOOT need $z $d";
    read -r i || exit 4;
    if [ "$z" = gzip ]; then take "$i" | gzip -dc > "$t" 2>/dev/null; else take "$i" > "$t"; fi;
    if size "$t"; then :; else
      set -- $(ls -ln "$t" 2>/dev/null); rm -f "$t";
      echo "RUNBOOK-BOOT short $d ${5:-0} $n";
      exit 4;
    fi;
    if command -v sha256sum >/dev/null 2>&1; then
      if same "$t"; then :; else rm -f "$t"; echo "RUNBOOK-BOOT short $d corrupt $n"; exit 4; fi;
    fi;
  fi;
  chmod 700 "$t";
  o=$("$t" agent --check 2>&1 </dev/null | head -n 3);
  case "$o" in *"RUNBOOK-AGENT-OK $h"*)
    mv -f "$t" "$d/$f" && {
      t=;
      find "$d" -type f -mtime +30 -name "agent-*" -exec rm -f "{}" ";" 2>/dev/null;
      find "$d" -type f -mtime +1 -name "agent-*.tmp" -exec rm -f "{}" ";" 2>/dev/null;
      run "$d/$f";
    };;
  esac;
  w="$w $d ("$o")";
  p=$t; t=;
};
[ "$5" = fresh ] || dirs "" warm;
a=$3;
trap clean EXIT; trap "exit 5" HUP INT TERM;
dirs make cold;
if [ -n "$w" ]; then echo "RUNBOOK-BOOT bad" $w; else echo "RUNBOOK-BOOT nodir"; fi;
exit 6
