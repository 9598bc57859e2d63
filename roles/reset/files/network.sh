# Takes away what pods' networks left in the kernel: mounts of pods, interfaces, namespaces, rules. Prints what it did.
# $1: the bridge; $2: the range of pods.
awk '$2 ~ "^/(var/lib/kubelet|run/containerd/io.containerd.[^/]*/k8s.io|run/netns/cni-)" && $2 !~ "^/var/lib/kubelet$" {print $2}' /proc/mounts | sort -r |
  while read -r place; do umount "$place" 2>/dev/null && echo "mount $place"; done
for link in "$1" flannel.1; do
  if [ -e "/sys/class/net/$link" ]; then ip link delete "$link" && echo "interface $link"; fi
done
for space in $(ip netns list 2>/dev/null | awk '/^cni-/ {print $1}'); do ip netns delete "$space" && echo "namespace $space"; done
ip route show 2>/dev/null | awk -v all="$2" 'index($0, "proto") == 0 && $2 == "via" {print $1}' | while read -r range; do
  case "$range" in "${2%.*.*}".*) ip route delete "$range" && echo "route $range" ;; esac
done
for program in iptables ip6tables; do
  command -v $program-save >/dev/null || continue
  rules=$($program-save 2>/dev/null) || continue
  if printf '%s\n' "$rules" | grep -Eq '(KUBE|CNI)-'; then
    # all rules and chains of kube-proxy, the kubelet and CNI plugins, and none but those
    printf '%s\n' "$rules" | grep -Ev '(KUBE|CNI)-' | $program-restore && echo "rules of $program"
  fi
done
exit 0
