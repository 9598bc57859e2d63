#!/bin/sh
# Runs outside of the new system, with its root as $1: users, access, quiet boot, and packages to be had without a network.
set -eu
root=$1

chroot "$root" useradd --create-home --shell /bin/bash deploy
echo 'deploy ALL=(ALL:ALL) NOPASSWD: ALL' > "$root/etc/sudoers.d/deploy"
chmod 0440 "$root/etc/sudoers.d/deploy"

# Each machine gets host keys and an identity of its own.
rm -f "$root"/etc/ssh/ssh_host_*
: > "$root/etc/machine-id"
printf 'PermitRootLogin prohibit-password\nMaxStartups 100\nMaxSessions 100\n' \
    > "$root/etc/ssh/sshd_config.d/machine.conf"

chroot "$root" systemctl enable systemd-networkd.service ssh.service
chroot "$root" systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
    e2scrub_all.timer fstrim.timer systemd-networkd-wait-online.service systemd-timesyncd.service

rm -f "$root"/var/cache/apt/archives/*.deb
if [ -n "$RUNBOOK_DOWNLOADS" ]; then
    APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get --yes --no-install-recommends --download-only install $RUNBOOK_DOWNLOADS
fi
# Without this mark, `apt-get install` would delete the downloaded files after it has used them.
echo 'APT::Keep-Downloaded-Packages "true";' > "$root/etc/apt/apt.conf.d/90machine"
