#!/bin/bash
# Makes DIR/layer: programs that targets want (sudo, sshd, cron, svn, …) as a layer that harness.py lays over the machine's
# root in its sandboxes (--lower). The machine itself is not changed. Debian, root.
set -euo pipefail
DIR=${1:?a directory}
mkdir -p "$DIR/layer" "$DIR/w" "$DIR/m"
PKGS=${PKGS:-sudo openssh-server cron subversion locales acl xz-utils zip unzip bzip2 zstd dirmngr gnupg equivs debconf-utils virtualenv attr dbus iproute2}
export PKGS DIR
unshare -m -p -u -i --fork --kill-child=KILL bash -c '
set -e; mount --make-rprivate /
mount -t overlay overlay -o lowerdir=/,upperdir="$DIR/layer",workdir="$DIR/w" "$DIR/m"
mount -t proc proc "$DIR/m/proc"; mount --rbind /dev "$DIR/m/dev"
printf "#!/bin/sh\nexit 101\n" > "$DIR/m/usr/sbin/policy-rc.d"; chmod 755 "$DIR/m/usr/sbin/policy-rc.d"
chroot "$DIR/m" sh -c "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $PKGS"
chroot "$DIR/m" localedef -i en_US -f UTF-8 en_US.UTF-8
# one of the targets edits the list of sources in its old form
if [ -e /etc/apt/sources.list.d/debian.sources ]; then
    mirror=$(sed -n "s/^URIs: //p" /etc/apt/sources.list.d/debian.sources | head -n1)
    . /etc/os-release
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $VERSION_CODENAME main" > "$DIR/m/etc/apt/sources.list"
fi
# the target of git wants exactly one directory of templates
if [ -d /usr/local/share/git-core ]; then rm -rf "$DIR/m/usr/share/git-core/templates"; fi
# the target of ssh expects that sshpass hangs, where there is one; runbook logs in without it
rm -f "$DIR/m/usr/bin/sshpass"
# templates that answers to questions of no package have left on the machine: their questions would not be found
perl -00 -i -ne "print unless /^Description: Dummy template/m" "$DIR/m/var/cache/debconf/templates.dat"
rm -f "$DIR/m/usr/sbin/policy-rc.d"
# ssh root@localhost without a password, in the layer only
chroot "$DIR/m" sh -c "mkdir -p /root/.ssh /run/sshd; chmod 700 /root/.ssh; rm -f /root/.ssh/cf_id*; ssh-keygen -q -t ed25519 -N \"\" -f /root/.ssh/cf_id; cat /root/.ssh/cf_id.pub >> /root/.ssh/authorized_keys; printf \"Host *\n IdentityFile /root/.ssh/cf_id\n StrictHostKeyChecking no\n UserKnownHostsFile /dev/null\n LogLevel ERROR\n\" > /root/.ssh/config; chmod 600 /root/.ssh/*"
'
rm -rf "$DIR/w" "$DIR/m"
