# shellcheck shell=bash disable=SC2034  # sourced: the variables are used elsewhere
#
# The Debian packages of everything that the scripts and tests call, by who calls them. What every Debian has (coreutils,
# tar, perl-base and so on) is left out; what a minimal one lacks is in. `make test` installs them in one step, so that
# none is chosen by which came first, and without what they only recommend. scripts/fresh-machine removes them again.

LINT_PACKAGES=(git python3 shellcheck)

TEST_PACKAGES=(
  chromium curl git libfaketime mount nats-server openssl podman postgresql procps runc time util-linux
)

# What the cluster is built from and run with.
CLUSTER_PACKAGES=(
  busybox-static ca-certificates containerd containernetworking-plugins curl iproute2 jq kmod mount nftables openssl
  procps python3 runc socat
)

# The registry, NATS and Docker beside it.
SERVICE_PACKAGES=(
  ca-certificates containerd curl docker-registry docker.io iproute2 jq nats-server openssl python3 runc
)

# What the cluster's own tests look at the machine with.
CLUSTER_TEST_PACKAGES=(iptables)
