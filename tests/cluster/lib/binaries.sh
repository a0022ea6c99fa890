# shellcheck shell=bash
#
# The Debian packages and the Go binaries of the cluster. A binary is built again only when what
# it is built from has changed: a digest of that is kept beside it, in NAME.stamp.

packages_up() {
  "$SCRIPTS_DIR/ensure-packages" "${CLUSTER_PACKAGES[@]}" || die "Debian packages are missing"
}

# go_build SOURCE-DIRECTORY OUTPUT PACKAGE [FLAG...]: a static binary, moved into place when done. Collecting garbage less
# often takes a fifth off the compiler's time.
go_build() {
  local directory=$1 output=$2 package=$3
  shift 3
  (
    cd "$directory"
    CGO_ENABLED=0 GOGC=400 "$GO" build -trimpath "$@" -o "$BIN_DIR/$output.new" "$package"
  ) || die "could not build $output"
  mv -f "$BIN_DIR/$output.new" "$BIN_DIR/$output"
}

# kube_flags: linker flags with which Kubernetes' programs say the version that they are built from.
kube_flags() {
  local version=$KUBERNETES_VERSION minor package flags="-s -w"
  minor=${version#v1.}
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags+=" -X $package.gitVersion=$version -X $package.gitMajor=1"
    flags+=" -X $package.gitMinor=${minor%%.*} -X $package.gitTreeState=clean"
    flags+=" -X $package.gitCommit=$(printf '%040d' 0) -X $package.buildDate=2026-01-01T00:00:00Z"
  done
  echo "$flags"
}

# build_kube: Kubernetes' components and etcd in one binary.
build_kube() {
  go_build "$CLUSTER_DIR/kube" kube . -ldflags "$(kube_flags)"
}

# build_kubectl: by itself, as it starts in half the time, and the tests start it more than a thousand times.
build_kubectl() {
  go_build "$CLUSTER_DIR/kube" kubectl ./kubectl -ldflags "$(kube_flags)"
}

# build_coredns: from Kubernetes' module, as most of what it is made of is the same.
build_coredns() {
  go_build "$CLUSTER_DIR/kube" coredns ./coredns -ldflags "-s -w"
}

# build_nats-server-current: the current server beside Debian's, by another name.
build_nats-server-current() {
  go_build "$CLUSTER_DIR/nats" nats-server-current github.com/nats-io/nats-server/v2 -ldflags "-s -w"
}

# build_scan: the scanners of manifests, from the modules that Kubernetes is built from, which are compiled already.
# kube-score lacks a method that those of Kubernetes 1.34 ask for, so it is given one in a vendored copy.
build_scan() {
  local work=$TESTBED_HOME/scan
  rm -rf "$work"
  mkdir -p "$work"
  cp "$CLUSTER_DIR"/scan/{go.mod,go.sum,main.go} "$work/"
  (cd "$work" && "$GO" mod vendor) || die "could not fetch the scanners' modules"
  echo 'func (l MapLabels) Lookup(label string) (string, bool) { value, ok := l[label]; return value, ok }' \
    >>"$work/vendor/github.com/zegl/kube-score/score/internal/labelselector.go"
  go_build "$work" scan . -mod=vendor -ldflags "-s -w"
  rm -rf "$work"
}

build_pause() {
  go_build "$CLUSTER_DIR/pause" pause . -ldflags "-s -w"
}

# build_runsc: gVisor and its shim, from a vendored copy of their module in which two lines differ:
#  - the shim insists on an OOM score of -999, which needs CAP_SYS_RESOURCE: 0 does as well here;
#  - the shim answers its start in containerd 2's format: Debian's 1.6 wants the bare address.
build_runsc() {
  local work=$TESTBED_HOME/gvisor manager shim
  manager=$work/vendor/gvisor.dev/gvisor/pkg/shim/v1/manager.go
  shim=$work/vendor/github.com/containerd/containerd/v2/pkg/shim/shim.go
  rm -rf "$work"
  mkdir -p "$work"
  cp "$CLUSTER_DIR"/gvisor/{go.mod,go.sum,tools.go} "$work/"
  (cd "$work" && "$GO" mod vendor) || die "could not fetch gVisor's modules"
  replace_line "$manager" 'oomScoreMax = -999' 'oomScoreMax = 0'
  replace_line "$shim" 'data, err := json.Marshal(&params)' \
    'data, err := []byte(params.Address), error(nil); _ = json.Marshal'
  go_build "$work" runsc gvisor.dev/gvisor/runsc -mod=vendor -ldflags "-s -w"
  go_build "$work" containerd-shim-runsc-v1 gvisor.dev/gvisor/shim -mod=vendor -ldflags "-s -w"
  rm -rf "$work"
}

# replace_line FILE OLD NEW: exactly one occurrence of plain text, or a failure.
replace_line() {
  local count
  count=$(grep -cF "$2" "$1") || true
  [[ $count == 1 ]] || die "$1 holds '$2' $count times, not once"
  OLD=$2 NEW=$3 perl -pi -e 's/\Q$ENV{OLD}\E/$ENV{NEW}/' "$1"
}

# binary_stamp NAME: a digest of what the binary is built from.
binary_stamp() {
  local directory
  case $1 in
    coredns | kubectl) directory=kube ;;
    runsc) directory=gvisor ;;
    nats-server-current) directory=nats ;;
    *) directory=$1 ;;
  esac
  {
    declare -f "build_$1" go_build kube_flags
    echo "$KUBERNETES_VERSION"
    find "$CLUSTER_DIR/$directory" \( -name '*.go' ! -name '*_test.go' -o -name 'go.*' \) \
      -print0 | sort -z | xargs -0 cat
  } | sha256sum | cut -d ' ' -f 1
}

# What the cluster is started from.
# shellcheck disable=SC2034  # for tests/cluster/build
CLUSTER_BINARIES=(pause kube kubectl coredns runsc nats-server-current)

# binaries_up NAME...: builds those of them that are missing or out of date, one after the other: each uses every
# processor by itself.
binaries_up() {
  local name stamp
  mkdir -p "$BIN_DIR"
  for name in "$@"; do
    stamp=$(binary_stamp "$name")
    if [[ -x $BIN_DIR/$name && -f $BIN_DIR/$name.stamp && $(<"$BIN_DIR/$name.stamp") == "$stamp" ]]; then
      continue
    fi
    [[ -n ${GO:-} ]] || GO=$("$SCRIPTS_DIR/ensure-go") || exit 1
    case $name in
      kube) say "building $name (the first time: 5 to 10 minutes)" ;;
      runsc) say "building $name (the first time: a minute or two)" ;;
      *) say "building $name" ;;
    esac
    "build_$name"
    echo "$stamp" >"$BIN_DIR/$name.stamp"
  done
}
