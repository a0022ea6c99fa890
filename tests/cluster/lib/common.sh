# shellcheck shell=bash disable=SC2034  # sourced: the variables are used elsewhere
#
# Settings and small helpers of the test cluster. Every script of tests/cluster/ sources this
# file first.

CLUSTER_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
REPOSITORY_DIR=$(cd "$CLUSTER_DIR/../.." && pwd)
SCRIPTS_DIR=$REPOSITORY_DIR/scripts
# shellcheck source=../../../scripts/versions.sh
source "$SCRIPTS_DIR/versions.sh"
# shellcheck source=../../../scripts/packages.sh
source "$SCRIPTS_DIR/packages.sh"

# What files of images are allowed to whom, how numbers and lists look, and which modules Go takes, is the same whoever
# calls.
umask 022
export LC_ALL=C.UTF-8 GOWORK=off GOFLAGS=-mod=readonly
unset DOCKER_CONTEXT DOCKER_DEFAULT_PLATFORM CONTAINERD_NAMESPACE CONTAINERD_ADDRESS

# --- Where things are -------------------------------------------------------------------

# Everything that is kept: binaries, images, and below run/ the state of the cluster.
TESTBED_HOME=${TESTBED_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/tntc-testbed}
BIN_DIR=$TESTBED_HOME/bin
IMAGE_DIR=$TESTBED_HOME/images
STATE_DIR=$TESTBED_HOME/run
CONF_DIR=$STATE_DIR/conf
PKI_DIR=$STATE_DIR/pki
LOG_DIR=$STATE_DIR/log
PID_DIR=$STATE_DIR/pid
ADMIN_KUBECONFIG=$STATE_DIR/admin.kubeconfig

# Sockets and whatever must not outlive the machine's next start. Short, as socket paths
# have at most 107 bytes.
VOLATILE_DIR=/run/tntc-testbed
CONTAINERD_SOCKET=$VOLATILE_DIR/containerd.sock
CGROUP=tntc-testbed

# The same for the services beside the cluster (registry, NATS, Docker), which live on their own.
SERVICES_DIR=$TESTBED_HOME/services
SERVICES_CONF_DIR=$SERVICES_DIR/conf
SERVICES_VOLATILE_DIR=/run/tntc-services
SERVICES_CGROUP=tntc-services
DOCKER_SOCKET=$SERVICES_VOLATILE_DIR/docker.sock

# --- Addresses --------------------------------------------------------------------------

# 198.18.0.0/15 is reserved for tests (RFC 2544): nobody's real network is hidden by it.
NODE_NAME=node1
CLUSTER_RANGE=198.18.0.0/15
NODE_IP=198.18.128.1
POD_RANGE=198.18.0.0/17
NODE_POD_RANGE=198.18.0.0/24
SERVICE_RANGE=198.19.0.0/16
SERVICE_API_IP=198.19.0.1
SERVICE_DNS_IP=198.19.0.10
API_URL=https://$NODE_IP:6443
BRIDGE=tntc-bridge0
DOCKER_BRIDGE=tntc-docker0
DOCKER_BRIDGE_ADDRESS=198.18.200.1/24

# A loopback address of our own for what only this machine's processes talk to, so that no
# port collides with another etcd or kubelet on 127.0.0.1.
LOCAL_IP=127.198.18.1

# What tests use from 127.0.0.1, as they would use kind's API server and a developer's registry. Outside of the range
# from which the kernel takes ports for outgoing connections (32768 and up): any of those might be there before us.
API_FORWARD_PORT=${TNTC_TESTBED_API_PORT:-26443}
REGISTRY_PORT=${TNTC_TESTBED_REGISTRY_PORT:-5100}
NATS_PORT=${TNTC_TESTBED_NATS_PORT:-24222}

# The kind cluster that the loopback context stands in for.
KIND_NAME=tntc

PATH=$BIN_DIR:$PATH:/usr/local/go/bin:/usr/sbin:/sbin

# --- Helpers ----------------------------------------------------------------------------

STARTED_AT=${EPOCHREALTIME/,/.}

# say TEXT...: a progress line with the seconds since the script started, on stderr.
say() {
  awk -v since="$STARTED_AT" -v now="${EPOCHREALTIME/,/.}" -v text="$*" \
    'BEGIN { printf "cluster %6.2fs  %s\n", now - since, text }' >&2
}

# die TEXT...: the reason on stderr, and exit 1.
die() {
  echo "cluster: error: $*" >&2
  exit 1
}

# A command that fails where no failure is expected ends the script, and says where.
set -o errtrace
trap 'echo "cluster: error: ${BASH_SOURCE[0]}:$LINENO: this failed: $BASH_COMMAND" >&2' ERR

# require_root: everything here needs namespaces, mounts and nftables.
require_root() {
  ((EUID == 0)) || die "$(basename "$0") must run as root (it sets up mounts, network and containers)"
}

# take_lock NAME: one script at a time may start or stop things; the lock lasts as long as it.
take_lock() {
  local file=$TESTBED_HOME/$1.lock
  mkdir -p "$TESTBED_HOME"
  exec 9>"$file"
  if ! flock -n 9; then
    say "waiting for another script that holds $file"
    flock -w 1800 9 || die "another script still holds $file"
  fi
}

# digest FILE...: one digest over names and contents, whatever the directory.
digest() {
  local file
  for file in "$@"; do
    echo "${file##*/}"
    cat "$file"
  done | sha256sum | cut -d ' ' -f 1
}

# write_if_changed FILE: stdin into FILE, leaving the file alone if it already says that.
write_if_changed() {
  local new
  new=$(mktemp "$1.XXXXXX")
  cat >"$new"
  if cmp -s "$new" "$1"; then
    rm -f "$new"
  else
    mv -f "$new" "$1"
  fi
}

# render TEMPLATE FILE: fills in the @NAME@ placeholders of a template from conf/.
render() {
  sed \
    -e "s#@STATE_DIR@#$STATE_DIR#g" \
    -e "s#@CONF_DIR@#$CONF_DIR#g" \
    -e "s#@PKI_DIR@#$PKI_DIR#g" \
    -e "s#@VOLATILE_DIR@#$VOLATILE_DIR#g" \
    -e "s#@SERVICES_DIR@#$SERVICES_DIR#g" \
    -e "s#@SERVICES_VOLATILE_DIR@#$SERVICES_VOLATILE_DIR#g" \
    -e "s#@CGROUP@#$CGROUP#g" \
    -e "s#@SERVICES_CGROUP@#$SERVICES_CGROUP#g" \
    -e "s#@BIN_DIR@#$BIN_DIR#g" \
    -e "s#@NODE_NAME@#$NODE_NAME#g" \
    -e "s#@NODE_IP@#$NODE_IP#g" \
    -e "s#@LOCAL_IP@#$LOCAL_IP#g" \
    -e "s#@POD_RANGE@#$POD_RANGE#g" \
    -e "s#@NODE_POD_RANGE@#$NODE_POD_RANGE#g" \
    -e "s#@SERVICE_DNS_IP@#$SERVICE_DNS_IP#g" \
    -e "s#@BRIDGE@#$BRIDGE#g" \
    -e "s#@DOCKER_BRIDGE@#$DOCKER_BRIDGE#g" \
    -e "s#@REGISTRY_PORT@#$REGISTRY_PORT#g" \
    -e "s#@NATS_PORT@#$NATS_PORT#g" \
    -e "s#@NATS_TOKEN@#${NATS_TOKEN:-}#g" \
    "$1" | write_if_changed "$2"
}

# kubectl ARGUMENT...: our own kubectl, straight at the API server.
kubectl() {
  "$CLUSTER_DIR/bin/kubectl" --kubeconfig "$PKI_DIR/admin.kubeconfig" "$@"
}

# ctr ARGUMENT...: the client of our containerd, in the namespace that the kubelet uses.
ctr() {
  command ctr --address "$CONTAINERD_SOCKET" --namespace k8s.io "$@"
}
