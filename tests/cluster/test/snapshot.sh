# shellcheck shell=bash
#
# What a machine looks like from outside of our directories, category by category. Sourced.

# shellcheck disable=SC2034
CATEGORIES=(
  processes mounts addresses links namespaces iptables ip6tables nftables sysctls groups files
)

# snapshot CATEGORY: prints the state of one category, in a stable order and without counters.
snapshot() {
  "snapshot_$1" | LC_ALL=C sort
}

# Every process that names one of our directories, or that runs a program from there.
snapshot_processes() {
  local directory
  for directory in /proc/[0-9]*; do
    { readlink "$directory/exe" && tr '\0' ' ' <"$directory/cmdline"; } 2>/dev/null |
      grep -F -e "$TESTBED_HOME/" -e "$VOLATILE_DIR" -e "$SERVICES_VOLATILE_DIR" || true
  done
}
snapshot_mounts() { findmnt --list --noheadings --output TARGET,SOURCE,FSTYPE; }
snapshot_addresses() { ip -brief address | sed -E 's/@[^ ]+//'; }
snapshot_links() { ip -brief link | awk '{ print $1, $2, $3 }'; }
snapshot_namespaces() { ip netns list; }
snapshot_iptables() { iptables-save | sed '/^#/d; s/\[[0-9:]*\]//'; }
snapshot_ip6tables() { ip6tables-save | sed '/^#/d; s/\[[0-9:]*\]//'; }
snapshot_nftables() { nft list ruleset; }

# The settings that change by themselves are left out.
snapshot_sysctls() {
  sysctl --all 2>/dev/null | grep -vE \
    '^(fs\.(dentry|file-nr|inode|quota\.)|kernel\.(ns_last_pid|random|pty\.nr)|.*nf_conntrack_count)'
}
snapshot_groups() { find /sys/fs/cgroup -type d | grep -F tntc || true; }

# The places outside of our directories where containers' tools are known to write.
snapshot_files() {
  local place
  for place in /run /var/lib /var/log /etc /opt /mnt; do
    find "$place" -maxdepth 1
  done
  for place in /run/containerd /run/docker /run/netns /var/lib/cni /var/lib/containerd \
    /var/lib/docker /var/lib/kubelet /var/log/containers /var/log/pods /etc/cni; do
    [[ ! -d $place ]] || find "$place"
  done
}
