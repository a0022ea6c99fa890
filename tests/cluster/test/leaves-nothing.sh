#!/usr/bin/env bash
#
# Starts and stops the cluster and its services, and shows that the machine is as before. It stops
# a cluster that is running, and leaves none.

set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/tap.sh"
source "$(dirname "${BASH_SOURCE[0]}")/snapshot.sh"

# take NAME: a snapshot of everything, into $work/NAME.
take() {
  local category
  mkdir -p "$work/$1"
  for category in "${CATEGORIES[@]}"; do
    snapshot "$category" >"$work/$1/$category"
  done
}

# compare NAME WHEN: each category of the snapshot NAME against the one from before.
compare() {
  local category
  take "$1"
  for category in "${CATEGORIES[@]}"; do
    check "$2, $category are as before" diff "$work/before/$category" "$work/$1/$category"
  done
}

# start_everything: the cluster, the services, and pods that are alive in both sandboxes.
start_everything() {
  "$CLUSTER_DIR/up"
  "$CLUSTER_DIR/services" up
  kubectl create namespace leaves-nothing --dry-run=client -o yaml | kubectl apply -f -
  for _ in {1..50}; do
    ! kubectl -n leaves-nothing get serviceaccount default 2>/dev/null || break
    sleep 0.1
  done
  sed 's/@NAMESPACE@/leaves-nothing/' "$CLUSTER_DIR/test/manifests/sleepers.yaml" | kubectl apply -f -
  kubectl -n leaves-nothing wait --for=condition=Ready pod --all --timeout=60s
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$SCRIPTS_DIR/ensure-packages" "${CLUSTER_TEST_PACKAGES[@]}"
"$CLUSTER_DIR/build" >&2
"$CLUSTER_DIR/down" >&2
take before

check "the cluster, its services and two pods start" start_everything
check "they stop" "$CLUSTER_DIR/down"
compare stopped "after a stop with live pods"

check "what was stopped starts again, pods included" start_everything
for name in containerd kubelet etcd; do
  read -r pid _ <"$PID_DIR/$name"
  kill -KILL "$pid"
done
read -r pid _ <"$SERVICES_DIR/pid/docker"
kill -KILL "$pid"
check "they stop when containerd, kubelet, etcd and dockerd are dead" "$CLUSTER_DIR/down" --wipe
compare killed "after a stop of a half-dead cluster"
check "--wipe deletes the state" test ! -e "$STATE_DIR" -a ! -e "$SERVICES_DIR"

check "stopping what is stopped does nothing" "$CLUSTER_DIR/down"
finish
