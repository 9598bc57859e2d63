# More users, of whom one logs in with a password.
chroot "$root" useradd --create-home --shell /bin/bash ops
chroot "$root" useradd --create-home --shell /bin/bash nobody2
echo 'ops:ops-password' | chroot "$root" chpasswd
echo 'ops ALL=(ALL:ALL) ALL' > "$root/etc/sudoers.d/ops"
chmod 0440 "$root/etc/sudoers.d/ops"
printf 'PasswordAuthentication yes\n' > "$root/etc/ssh/sshd_config.d/a-password.conf"
touch "$root/home/ops/.no-key"
test ! -e "$root/usr/bin/python3"
