# shellcheck shell=bash
#
# The container images, made of this machine's files, and their import into containerd. An image is
# made again only when what it is made of has changed: NAME.stamp beside NAME.tar says of what.

IMAGES=(pause coredns deno curl)

# The programs of the curl image that busybox stands for.
BUSYBOX_LINKS=(
  sh awk cat cp date echo env false grep head httpd id ls mkdir mv nc nslookup ps rm sed sleep tail
  test touch true wget
)

# new_root NAME: prints an empty directory for an image's files.
new_root() {
  local root=$IMAGE_DIR/$1.root
  rm -rf "$root"
  mkdir -p "$root"
  echo "$root"
}

# add_base ROOT: users, CA certificates, name resolution and /tmp, as in a distroless image.
add_base() {
  local root=$1 libraries library
  mkdir -p "$root"/{bin,etc/ssl/certs,home/nonroot,tmp,usr/bin,usr/share}
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  cat >"$root/etc/passwd" <<'USERS'
root:x:0:0:root:/root:/sbin/nologin
nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin
USERS
  printf '%s\n' root:x:0: nonroot:x:65532: nogroup:x:65534: >"$root/etc/group"
  echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
  libraries=$(dirname "$(ldconfig -p | awk '/libresolv\.so\.2 .*x86-64/ { print $NF; exit }')")
  mkdir -p "$root$libraries"
  for library in libnss_dns.so.2 libnss_files.so.2 libresolv.so.2; do
    cp -L "$libraries/$library" "$root$libraries/"
  done
}

# add_program ROOT PROGRAM PATH: the program under that path, and its shared libraries under theirs.
add_program() {
  local root=$1 library
  install -D -m 755 "$2" "$root$3"
  # A static program has no libraries; ldd calls that a failure.
  { ldd "$2" 2>/dev/null || true; } | grep -oE '/[^ ]+' | sort -u | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -nL "$library" "$root$library"
  done
}

# pack NAME ROOT REFERENCE [OPTION...]: ROOT as NAME.tar, for containerd and for docker load.
pack() {
  local name=$1 root=$2 reference=$3
  shift 3
  python3 "$CLUSTER_DIR/mkimage.py" "$IMAGE_DIR/$name.tar.new" "$root" "$reference" "$@"
  mv -f "$IMAGE_DIR/$name.tar.new" "$IMAGE_DIR/$name.tar"
  rm -rf "$root"
}

image_pause() {
  local root
  root=$(new_root pause)
  install -m 755 "$BIN_DIR/pause" "$root/pause"
  pack pause "$root" registry.k8s.io/pause:3.10 --user 65535:65535 --entrypoint '["/pause"]'
}

image_coredns() {
  local root
  root=$(new_root coredns)
  mkdir "$root/tmp"
  install -m 755 "$BIN_DIR/coredns" "$root/coredns"
  pack coredns "$root" localhost/coredns:testbed --user 65534:65534 --entrypoint '["/coredns"]'
}

# image_deno: stands in for the public image of that name, with the same Deno in the same places.
image_deno() {
  local root deno
  deno=$("$SCRIPTS_DIR/ensure-deno" --pinned)
  root=$(new_root deno)
  add_base "$root"
  add_program "$root" "$deno" /bin/deno
  mkdir "$root/deno-dir"
  pack deno "$root" docker.io/denoland/deno:distroless \
    --entrypoint '["/bin/deno"]' --env DENO_DIR=/deno-dir/
}

# image_curl: stands in for the public image; its user is a number where that has a name.
image_curl() {
  local root link
  root=$(new_root curl)
  add_base "$root"
  add_program "$root" "$(command -v curl)" /usr/bin/curl
  add_program "$root" /bin/busybox /bin/busybox
  for link in "${BUSYBOX_LINKS[@]}"; do
    ln -s busybox "$root/bin/$link"
  done
  pack curl "$root" docker.io/curlimages/curl:latest --user 100:101 --cmd '["curl"]'
}

# image_stamp NAME: a digest of the recipe and of the versions of what goes in.
image_stamp() {
  {
    cat "$CLUSTER_DIR/lib/images.sh" "$CLUSTER_DIR/mkimage.py"
    case $1 in
      pause | coredns) cat "$BIN_DIR/$1.stamp" ;;
      deno) echo "$DENO_VERSION" ;;
      curl) dpkg-query --show curl busybox-static ca-certificates ;;
    esac
  } | sha256sum | cut -d ' ' -f 1
}

# images_up NAME...: makes those of them that are missing or out of date.
images_up() {
  local name stamp
  mkdir -p "$IMAGE_DIR"
  for name in "$@"; do
    stamp=$(image_stamp "$name")
    if [[ -f $IMAGE_DIR/$name.tar && $(cat "$IMAGE_DIR/$name.stamp" 2>/dev/null) == "$stamp" ]]; then
      continue
    fi
    say "making the image $name"
    "image_$name" || die "could not make the image $name"
    echo "$stamp" >"$IMAGE_DIR/$name.stamp"
  done
}

# name_trigger_image: the name of the public image that trigger pods have by default, whose digest
# ours has not.
name_trigger_image() {
  local pinned
  pinned=$(grep -rho 'curlimages/curl:[^"]*@sha256:[0-9a-f]*' "$REPOSITORY_DIR/crates/tntc-core/src" | head -n 1)
  [[ -n $pinned ]] || {
    say "no digest of the trigger image is found in crates/tntc-core/src"
    return 1
  }
  ctr images tag --force docker.io/curlimages/curl:latest \
    "docker.io/curlimages/curl@${pinned#*@}" >/dev/null
}

# import_images: into our containerd, those that it does not have in this version yet.
import_images() {
  local name reference have
  have=$(ctr images list | awk '{ print $1, $3 }')
  for name in "${IMAGES[@]}"; do
    reference=$(tar -xOf "$IMAGE_DIR/$name.tar" index.json |
      jq -r '.manifests[0] | .annotations["io.containerd.image.name"] + " " + .digest')
    grep -qxF "$reference" <<<"$have" || ctr images import "$IMAGE_DIR/$name.tar" || return 1
  done
  name_trigger_image
}
