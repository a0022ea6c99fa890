# shellcheck shell=bash
#
# Removing what containers leave on the machine: processes, mounts, control groups, files outside
# of our directories. Nothing here asks containerd, so it works as well when containerd is dead.
#
# Ours is what belongs to one SCOPE: `cluster`, or `services` (the containers of docker build).

# enter_scope SCOPE: sets what the functions below look for.
enter_scope() {
  case $1 in
    cluster)
      SCOPE_VOLATILE=$VOLATILE_DIR
      SCOPE_STATE=$STATE_DIR
      SCOPE_CGROUP=$CGROUP
      SCOPE_BINARIES=$BIN_DIR
      ;;
    services)
      SCOPE_VOLATILE=$SERVICES_VOLATILE_DIR
      SCOPE_STATE=$SERVICES_DIR
      SCOPE_CGROUP=$SERVICES_CGROUP
      SCOPE_BINARIES=$SERVICES_DIR
      ;;
  esac
}

# our_groups: prints the control groups of our containers, in whichever hierarchies.
our_groups() {
  find /sys/fs/cgroup -maxdepth 2 -type d -name "$SCOPE_CGROUP"
}

# our_processes: prints the id of each process that runs a binary of ours, names our state or
# sockets as only containerd, its shims and dockerd do, or is in one of our control groups.
our_processes() {
  local directory command executable group
  for directory in /proc/[0-9]*; do
    executable=$(readlink "$directory/exe" 2>/dev/null) || continue
    command=$({ tr '\0' ' ' <"$directory/cmdline"; } 2>/dev/null) || continue
    case "${executable% (deleted)} $command" in
      "$SCOPE_BINARIES"/*) echo "${directory#/proc/}" ;;
      */containerd-shim-*" -address $SCOPE_VOLATILE/"*) echo "${directory#/proc/}" ;;
      */containerd\ *"$SCOPE_STATE/"* | */dockerd\ *"$SCOPE_STATE/"*) echo "${directory#/proc/}" ;;
    esac
  done
  for group in $(our_groups); do
    find "$group" -name cgroup.procs -exec cat {} + 2>/dev/null || true
  done
}

# kill_processes: ends all of ours at once, without a goodbye. Repeats, as they may fork.
kill_processes() {
  local -a pids
  for _ in {1..30}; do
    mapfile -t pids < <(our_processes | sort -un)
    ((${#pids[@]} > 0)) || return 0
    kill -KILL "${pids[@]}" 2>/dev/null || true
    sleep 0.1
  done
  echo "cluster: warning: these processes would not end: ${pids[*]}" >&2
}

# our_mounts: prints what is mounted below our directories, the innermost first.
our_mounts() {
  local target
  findmnt --list --noheadings --output TARGET | sort -r | while read -r target; do
    case $target in
      "$SCOPE_VOLATILE"/* | "$SCOPE_STATE"/*) echo "$target" ;;
    esac
  done
}

# remove_mounts: unmounts all of them. A mount that stays ends the script: the directories are
# deleted next, and what is mounted there may be somebody's files.
remove_mounts() {
  local target left
  our_mounts | while read -r target; do
    umount --lazy "$target" 2>/dev/null || true
  done
  left=$(our_mounts)
  [[ -z $left ]] || die "could not unmount: $left"
}

# remove_groups: the emptied control groups; a killed process may need a moment to leave one.
remove_groups() {
  local group
  for group in $(our_groups); do
    for _ in {1..20}; do
      find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
      [[ -d $group ]] || break
      sleep 0.1
    done
  done
}

# remove_shim_sockets: containerd's shims have their sockets in one fixed place for all; which of
# them are ours, a file in each container's directory says.
remove_shim_sockets() {
  local file socket
  [[ -d $SCOPE_VOLATILE ]] || return 0
  find "$SCOPE_VOLATILE" -type f -name address | while read -r file; do
    socket=$(<"$file")
    case ${socket#unix://} in
      /run/containerd/s/*) rm -f "${socket#unix://}" ;;
    esac
  done
  rmdir /run/containerd/s /run/containerd 2>/dev/null || true
}

# remove_outside_files: what the kubelet and the network plugins write to fixed places.
remove_outside_files() {
  local link result id
  for link in /var/log/containers/*.log; do
    [[ -L $link && $(readlink "$link") == "$SCOPE_STATE"/* ]] || continue
    rm -f "$link"
  done
  # Results are named NETWORK-SANDBOX-INTERFACE; each sandbox of our network has a loopback too.
  for result in /var/lib/cni/results/tntc-testbed-*-eth0; do
    id=${result##*/tntc-testbed-}
    rm -f "$result" "/var/lib/cni/results/cni-loopback-${id%-eth0}-lo"
  done
  rmdir /var/log/containers /var/lib/cni/results /var/lib/cni 2>/dev/null || true
}

# remove_containers SCOPE: everything above, in order. Whoever would restart them must be stopped.
remove_containers() {
  enter_scope "$1"
  kill_processes
  remove_shim_sockets
  remove_mounts
  remove_groups
  [[ $1 != cluster ]] || remove_outside_files
  rm -rf "$SCOPE_VOLATILE"
}
