#!/usr/bin/env bash
#
# What `up` does when it is called again: nothing, or just what is needed. Leaves the cluster up.

set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/tap.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../lib/process.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../lib/components.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../lib/cleanup.sh"

# all_pids: what runs as what.
all_pids() {
  local name
  for name in "${COMPONENTS[@]}"; do
    echo "$name $(pid_of "$name")"
  done
}

# kill_component NAME: as if it had crashed.
kill_component() {
  local pid
  pid=$(pid_of "$1")
  kill -KILL "$pid"
  while alive "$1"; do sleep 0.05; done
}

check "the cluster starts" "$CLUSTER_DIR/up"
check "its status says that all is healthy" "$CLUSTER_DIR/status"

before=$(all_pids)
check "it can be started again" "$CLUSTER_DIR/up"
check_same "a second start leaves everything alone" "$before" "$(all_pids)"

for name in "${COMPONENTS[@]}"; do
  kill_component "$name"
  message=$("$CLUSTER_DIR/status" 2>&1) || true
  check_contains "status names $name when it is dead" "died" "$(grep "^$name " <<<"$message")"
  message=$("$CLUSTER_DIR/up" 2>&1) || true
  check_contains "up starts $name again" "$name: was not running any more" "$message"
  check "all is healthy after that" "$CLUSTER_DIR/status"
done

# An API server that stops in good order withdraws its own endpoint, which kube-proxy sees before it ends itself.
kill -TERM "$(pid_of apiserver)"
while alive apiserver; do sleep 0.05; done
kill_component proxy
check "up works when the API server has withdrawn its endpoint" "$CLUSTER_DIR/up"
check "the API server's service leads to it again" \
  curl --silent --fail --insecure --retry 20 --retry-delay 1 --retry-all-errors "https://$SERVICE_API_IP/readyz"

enter_scope cluster
kill_processes
check "up works when everything was killed at once, pods included" "$CLUSTER_DIR/up"
check "all is healthy after that" "$CLUSTER_DIR/status"

# An obstacle for each component that listens.
for name in etcd apiserver forwarder controllers scheduler kubelet proxy; do
  kill_component "$name"
  IFS=: read -r address port < <("ports_$name")
  socat "TCP-LISTEN:$port,bind=$address,reuseaddr,fork" /dev/null &
  obstacle=$!
  until listening "$address" "$port"; do sleep 0.05; done
  status=0
  message=$("$CLUSTER_DIR/up" 2>&1) || status=$?
  check_contains "a taken port of $name is reported" "$name failed: $address:$port is already taken" \
    "$message"
  check "and is a failure" test "$status" -ne 0
  kill "$obstacle"
  wait "$obstacle" 2>/dev/null || true
  check "up works when $name's port is free" "$CLUSTER_DIR/up"
done
finish
