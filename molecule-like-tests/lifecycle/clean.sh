#!/bin/sh
# Says what is left of a cluster, and fails if there is something.
{
  for path in /etc/kubernetes /etc/etcd /var/lib/etcd/scenario /var/lib/kube-proxy /var/log/kubernetes /etc/cni/net.d/10-bridge.conflist \
    /usr/local/bin/kubelet /usr/local/bin/kube-proxy /usr/local/bin/kubectl /etc/systemd/system/kubelet.service \
    /etc/systemd/system/kube-proxy.service /etc/systemd/system/pod-routes.service /etc/sysctl.d/99-kubernetes.conf /sys/class/net/cni0; do
    [ ! -e "$path" ] || echo "$path"
  done
  find /var/lib/kubelet -mindepth 1 2>/dev/null
  pgrep -l 'kubelet|kube-|pause|containerd-shim'
  iptables-save 2>/dev/null | grep -E 'KUBE-|CNI-|10\.244\.'
  ip route | grep '^10\.244\.'
  grep 'hosts of the cluster' /etc/hosts
  awk '$2 ~ "^/var/lib/kubelet/" {print}' /proc/mounts
} > /tmp/left-over
cat /tmp/left-over
test ! -s /tmp/left-over
