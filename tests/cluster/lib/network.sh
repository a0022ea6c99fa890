# shellcheck shell=bash
#
# The node's place in the machine's network: one address, a few kernel settings, and a firewall
# table that keeps the cluster's traffic on the machine. All of it is undone by network_down.

NFT_TABLE=tntc-testbed

# The kernel settings that we, the kubelet or the bridge plugin change. Their values from
# before are kept in $STATE_DIR/sysctl until network_down puts them back.
CHANGED_SYSCTLS=(
  net.ipv4.ip_forward
  net.bridge.bridge-nf-call-iptables
  vm.overcommit_memory
  vm.panic_on_oom
  kernel.panic
  kernel.panic_on_oops
  kernel.keys.root_maxkeys
  kernel.keys.root_maxbytes
)

# remember_sysctls: notes the values from before, once.
remember_sysctls() {
  local key value
  [[ ! -s $STATE_DIR/sysctl ]] || return 0
  for key in "${CHANGED_SYSCTLS[@]}"; do
    value=$(sysctl -n "$key" 2>/dev/null) || continue
    echo "$key=$value"
  done >"$STATE_DIR/sysctl.new"
  mv "$STATE_DIR/sysctl.new" "$STATE_DIR/sysctl"
}

restore_sysctls() {
  local setting
  [[ -f $STATE_DIR/sysctl ]] || return 0
  while read -r setting; do
    # Writing ip_forward resets other settings even where it changes nothing: compare first.
    if [[ $(sysctl -n "${setting%%=*}") != "${setting#*=}" ]]; then
      sysctl -qw "$setting" || true
    fi
  done <"$STATE_DIR/sysctl"
  rm -f "$STATE_DIR/sysctl"
}

# network_up: may be called again at any time.
network_up() {
  if ! ip -4 addr show dev lo | grep -q " $NODE_IP/32 "; then
    ip addr add "$NODE_IP/32" dev lo
  fi
  # Without this, policies and Services are blind to what goes from pod to pod over the bridge.
  if [[ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ]]; then
    modprobe br_netfilter || die "the kernel has no br_netfilter: no network policy would hold"
  fi
  remember_sysctls
  sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1
  # A pod that asks for an outside address is refused at once, instead of waiting for an answer.
  nft -f - <<RULES
table ip $NFT_TABLE
delete table ip $NFT_TABLE
table ip $NFT_TABLE {
  chain forward {
    type filter hook forward priority 0; policy accept;
    ip saddr $CLUSTER_RANGE oifname != "$BRIDGE" reject with icmp type admin-prohibited
    ip daddr $CLUSTER_RANGE oifname != "$BRIDGE" drop
  }
  chain postrouting {
    type filter hook postrouting priority 300; policy accept;
    ip saddr $CLUSTER_RANGE oifname != { "lo", "$BRIDGE" } drop
    ip daddr $CLUSTER_RANGE oifname != { "lo", "$BRIDGE" } drop
  }
}
RULES
}

# network_down: no address, link, table or setting of ours stays.
network_down() {
  local table
  ip link delete "$BRIDGE" 2>/dev/null || true
  ip addr delete "$NODE_IP/32" dev lo 2>/dev/null || true
  # kube-proxy's and the policy enforcer's tables are theirs alone, as ours is.
  for table in "ip $NFT_TABLE" "ip kube-netpol" "ip kube-proxy" "ip6 kube-proxy"; do
    # shellcheck disable=SC2086  # family and name are two words
    nft delete table $table 2>/dev/null || true
  done
  restore_sysctls
}
