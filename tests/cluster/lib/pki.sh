# shellcheck shell=bash
#
# Certificates (P-256), the service-account key, and the kubeconfigs of everyone.

# new_key NAME
new_key() {
  openssl ecparam -name prime256v1 -genkey -noout -out "$1.key" 2>/dev/null
}

# new_ca NAME
new_ca() {
  new_key "$1"
  openssl req -x509 -new -key "$1.key" -subj "/CN=$1" -days 3650 -out "$1.crt" \
    -addext keyUsage=critical,keyCertSign,digitalSignature,cRLSign 2>/dev/null
}

# new_certificate CA NAME SUBJECT USAGE [ALTERNATIVE-NAMES]
new_certificate() {
  local ca=$1 name=$2 subject=$3 usage=$4 names=${5:-}
  new_key "$name"
  {
    echo "keyUsage=critical,digitalSignature"
    echo "extendedKeyUsage=$usage"
    [[ -z $names ]] || echo "subjectAltName=$names"
  } >"$name.ext"
  openssl req -new -key "$name.key" -subj "$subject" -out "$name.csr" 2>/dev/null
  openssl x509 -req -in "$name.csr" -CA "$ca.crt" -CAkey "$ca.key" -days 3650 \
    -set_serial "0x$(openssl rand -hex 8)" -extfile "$name.ext" -out "$name.crt" 2>/dev/null
  rm -f "$name.csr" "$name.ext"
}

# component_kubeconfig NAME: for a component on this node, with files beside it.
component_kubeconfig() {
  cat >"$1.kubeconfig" <<KUBECONFIG
apiVersion: v1
kind: Config
clusters: [{name: node, cluster: {server: "$API_URL", certificate-authority: "$PKI_DIR/ca.crt"}}]
users: [{name: me, user: {client-certificate: "$PKI_DIR/$1.crt", client-key: "$PKI_DIR/$1.key"}}]
contexts: [{name: node, context: {cluster: node, user: me}}]
current-context: node
KUBECONFIG
}

# create_pki: into the current directory.
create_pki() {
  local dns name
  dns="DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"
  dns+=",DNS:kubernetes.default.svc.cluster.local"
  new_ca ca
  new_ca front-proxy-ca
  new_certificate ca apiserver /CN=kube-apiserver serverAuth \
    "IP:$NODE_IP,IP:$SERVICE_API_IP,IP:127.0.0.1,$dns"
  new_certificate ca kubelet-server "/O=system:nodes/CN=system:node:$NODE_NAME" serverAuth \
    "IP:$NODE_IP,DNS:$NODE_NAME"
  new_certificate ca admin /O=system:masters/CN=admin clientAuth
  new_certificate ca apiserver-kubelet /O=system:masters/CN=apiserver-kubelet clientAuth
  new_certificate ca controllers /CN=system:kube-controller-manager clientAuth
  new_certificate ca scheduler /CN=system:kube-scheduler clientAuth
  new_certificate ca proxy /CN=system:kube-proxy clientAuth
  new_certificate ca kubelet "/O=system:nodes/CN=system:node:$NODE_NAME" clientAuth
  new_certificate front-proxy-ca front-proxy /CN=front-proxy clientAuth
  openssl genrsa -out sa.key 2048 2>/dev/null
  openssl rsa -in sa.key -pubout -out sa.pub 2>/dev/null
  for name in admin controllers scheduler proxy kubelet; do
    component_kubeconfig "$name"
  done
}

# pki_up: creates everything once; again only when this file or an address in it changed.
pki_up() {
  local stamp
  stamp=$(printf '%s\n' "$(digest "$CLUSTER_DIR/lib/pki.sh")" "$PKI_DIR" \
    "$NODE_NAME $NODE_IP $SERVICE_API_IP $API_URL")
  if [[ ! -f $PKI_DIR/stamp || $(<"$PKI_DIR/stamp") != "$stamp" ]]; then
    rm -rf "$PKI_DIR"
    mkdir -m 700 "$PKI_DIR"
    (
      umask 077
      cd "$PKI_DIR"
      create_pki
      echo "$stamp" >stamp
    ) || die "could not create the certificates in $PKI_DIR"
    say "certificates created"
  fi
}

# admin_kubeconfig_up: the file that tests use. It holds the certificates themselves, so that it can
# be copied, and two ways to the same API server: one that looks like kind, one that does not.
admin_kubeconfig_up() {
  local ca certificate key
  ca=$(base64 -w 0 <"$PKI_DIR/ca.crt")
  certificate=$(base64 -w 0 <"$PKI_DIR/admin.crt")
  key=$(base64 -w 0 <"$PKI_DIR/admin.key")
  (
    umask 077
    write_if_changed "$ADMIN_KUBECONFIG" <<KUBECONFIG
apiVersion: v1
kind: Config
clusters:
- name: kind-$KIND_NAME
  cluster:
    server: https://127.0.0.1:$API_FORWARD_PORT
    certificate-authority-data: $ca
- name: tntc-testbed
  cluster:
    server: $API_URL
    certificate-authority-data: $ca
users:
- name: testbed-admin
  user:
    client-certificate-data: $certificate
    client-key-data: $key
contexts:
- name: kind-$KIND_NAME
  context: {cluster: kind-$KIND_NAME, user: testbed-admin}
- name: tntc-testbed
  context: {cluster: tntc-testbed, user: testbed-admin}
current-context: kind-$KIND_NAME
KUBECONFIG
  )
}
