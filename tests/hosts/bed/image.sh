#!/bin/sh
# Runs outside of the new system, with its root as $1: users, access, quiet boot, and packages for tests that need some.
set -eu
root=$1

chroot "$root" useradd --create-home --shell /bin/bash deploy
chroot "$root" useradd --create-home --shell /bin/bash ops
chroot "$root" useradd --create-home --shell /bin/bash nobody2
echo 'ops:ops-password' | chroot "$root" chpasswd
echo 'deploy ALL=(ALL:ALL) NOPASSWD: ALL' > "$root/etc/sudoers.d/deploy"
echo 'ops ALL=(ALL:ALL) ALL' > "$root/etc/sudoers.d/ops"
chmod 0440 "$root/etc/sudoers.d/deploy" "$root/etc/sudoers.d/ops"

# Each machine gets host keys and an identity of its own.
rm -f "$root"/etc/ssh/ssh_host_*
: > "$root/etc/machine-id"
printf 'PasswordAuthentication yes\nPermitRootLogin prohibit-password\nMaxStartups 100\nMaxSessions 100\n' \
    > "$root/etc/ssh/sshd_config.d/test.conf"

chroot "$root" systemctl enable systemd-networkd.service ssh.service
chroot "$root" systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
    e2scrub_all.timer fstrim.timer systemd-networkd-wait-online.service systemd-timesyncd.service

# Packages to be had without a network: their files and the lists that name them.
rm -f "$root"/var/cache/apt/archives/*.deb
APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get --yes --no-install-recommends --download-only install $RUNBOOK_TEST_DOWNLOADS
# Without this mark, `apt-get install` would delete the downloaded files after it has used them.
echo 'APT::Keep-Downloaded-Packages "true";' > "$root/etc/apt/apt.conf.d/90test"
test ! -e "$root/usr/bin/python3"
