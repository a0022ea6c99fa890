# shellcheck shell=bash disable=SC2034  # sourced: the variables are used elsewhere
#
# The pinned versions, in one place. Sourced by the scripts here and by tests/cluster/.
# Everything else that a version hangs on is in the go.mod files of tests/cluster/ and in
# Cargo.lock; Debian packages are whatever the release at hand ships.

# The Deno that the engine runs on. An installed Deno is used when it is at least this new;
# otherwise exactly this version is fetched.
DENO_VERSION=2.9.8

# The Go toolchain that the test cluster's modules ask for (the `go` lines of their go.mod).
GO_MIN_VERSION=1.26

# The Kubernetes of the test cluster: must agree with tests/cluster/kube/go.mod.
KUBERNETES_VERSION=v1.34.4

# What `make lint` runs.
ACTIONLINT_VERSION=1.7.12
CARGO_DENY_VERSION=0.20.2
CARGO_NEXTEST_VERSION=0.9.148
CARGO_SHEAR_VERSION=1.14.0
TYPOS_VERSION=1.52.0
