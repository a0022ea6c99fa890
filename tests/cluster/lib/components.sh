# shellcheck shell=bash disable=SC2034  # COMMAND and INPUTS are read by lib/process.sh
#
# The programs that together are Kubernetes; see lib/process.sh for what the functions mean.
# `kube` is one binary that holds all of the Kubernetes components and etcd.

COMPONENTS=(etcd containerd apiserver forwarder controllers scheduler kubelet proxy netpol)

ETCD_URL=http://$LOCAL_IP:2379

# --- etcd: without waiting for the disk, as nothing here must survive a power cut ----------

command_etcd() {
  COMMAND=(
    kube etcd
    --name testbed
    --data-dir "$STATE_DIR/etcd"
    --listen-client-urls "$ETCD_URL"
    --advertise-client-urls "$ETCD_URL"
    --listen-peer-urls "http://$LOCAL_IP:2380"
    --initial-advertise-peer-urls "http://$LOCAL_IP:2380"
    --initial-cluster "testbed=http://$LOCAL_IP:2380"
    --unsafe-no-fsync
    --log-level warn
  )
  INPUTS=("$BIN_DIR/kube.stamp")
}
ports_etcd() { printf '%s\n' "$LOCAL_IP:2379" "$LOCAL_IP:2380"; }
healthy_etcd() { https_ok "$ETCD_URL/health"; }

# --- containerd: Debian's, with a configuration, root and socket of its own ----------------

command_containerd() {
  COMMAND=(containerd --config "$CONF_DIR/containerd.toml" --log-level warn)
  INPUTS=("$CONF_DIR/containerd.toml" "$CONF_DIR/runsc.toml")
}
ports_containerd() { :; }
healthy_containerd() { ctr version; }

# --- The API server -------------------------------------------------------------------------

command_apiserver() {
  COMMAND=(
    kube kube-apiserver
    --bind-address "$NODE_IP"
    --advertise-address "$NODE_IP"
    --secure-port 6443
    --etcd-servers "$ETCD_URL"
    --service-cluster-ip-range "$SERVICE_RANGE"
    --cert-dir "$STATE_DIR/apiserver"
    --tls-cert-file "$PKI_DIR/apiserver.crt"
    --tls-private-key-file "$PKI_DIR/apiserver.key"
    --client-ca-file "$PKI_DIR/ca.crt"
    --kubelet-certificate-authority "$PKI_DIR/ca.crt"
    --kubelet-client-certificate "$PKI_DIR/apiserver-kubelet.crt"
    --kubelet-client-key "$PKI_DIR/apiserver-kubelet.key"
    --kubelet-preferred-address-types InternalIP
    --requestheader-client-ca-file "$PKI_DIR/front-proxy-ca.crt"
    --requestheader-allowed-names front-proxy
    --requestheader-username-headers X-Remote-User
    --requestheader-group-headers X-Remote-Group
    --requestheader-extra-headers-prefix X-Remote-Extra-
    --proxy-client-cert-file "$PKI_DIR/front-proxy.crt"
    --proxy-client-key-file "$PKI_DIR/front-proxy.key"
    --service-account-issuer https://kubernetes.default.svc.cluster.local
    --service-account-key-file "$PKI_DIR/sa.pub"
    --service-account-signing-key-file "$PKI_DIR/sa.key"
    --authorization-mode "Node,RBAC"
    --enable-admission-plugins NodeRestriction
    --allow-privileged=true
    --anonymous-auth=true
    --profiling=false
  )
  INPUTS=("$BIN_DIR/kube.stamp" "$PKI_DIR/apiserver.crt" "$PKI_DIR/ca.crt")
}
ports_apiserver() { echo "$NODE_IP:6443"; }
healthy_apiserver() { https_ok "$API_URL/readyz" "$PKI_DIR/ca.crt"; }

# --- The API server's second address, on 127.0.0.1, where kind would have it -----------------

command_forwarder() {
  local listen=TCP-LISTEN:$API_FORWARD_PORT,bind=127.0.0.1,reuseaddr,fork,nodelay,backlog=128
  COMMAND=(socat -t 30 "$listen" "TCP:$NODE_IP:6443,nodelay")
  INPUTS=()
}
ports_forwarder() { echo "127.0.0.1:$API_FORWARD_PORT"; }
healthy_forwarder() { https_ok "https://127.0.0.1:$API_FORWARD_PORT/readyz" "$PKI_DIR/ca.crt"; }

# --- The controller manager and the scheduler ------------------------------------------------

command_controllers() {
  local kubeconfig=$PKI_DIR/controllers.kubeconfig
  COMMAND=(
    kube kube-controller-manager
    --kubeconfig "$kubeconfig"
    --authentication-kubeconfig "$kubeconfig"
    --authorization-kubeconfig "$kubeconfig"
    --bind-address "$LOCAL_IP"
    --cert-dir "$STATE_DIR/controllers"
    --leader-elect=false
    --use-service-account-credentials=true
    --service-account-private-key-file "$PKI_DIR/sa.key"
    --root-ca-file "$PKI_DIR/ca.crt"
    --cluster-signing-cert-file "$PKI_DIR/ca.crt"
    --cluster-signing-key-file "$PKI_DIR/ca.key"
    --allocate-node-cidrs=true
    --cluster-cidr "$POD_RANGE"
    --service-cluster-ip-range "$SERVICE_RANGE"
  )
  INPUTS=("$BIN_DIR/kube.stamp" "$PKI_DIR/controllers.crt")
}
ports_controllers() { echo "$LOCAL_IP:10257"; }
healthy_controllers() { https_ok "https://$LOCAL_IP:10257/healthz"; }

command_scheduler() {
  local kubeconfig=$PKI_DIR/scheduler.kubeconfig
  COMMAND=(
    kube kube-scheduler
    --kubeconfig "$kubeconfig"
    --authentication-kubeconfig "$kubeconfig"
    --authorization-kubeconfig "$kubeconfig"
    --bind-address "$LOCAL_IP"
    --cert-dir "$STATE_DIR/scheduler"
    --leader-elect=false
  )
  INPUTS=("$BIN_DIR/kube.stamp" "$PKI_DIR/scheduler.crt")
}
ports_scheduler() { echo "$LOCAL_IP:10259"; }
healthy_scheduler() { https_ok "https://$LOCAL_IP:10259/healthz"; }

# --- The node: kubelet, kube-proxy, and the enforcer of network policies ---------------------

command_kubelet() {
  COMMAND=(
    kube kubelet
    --config "$CONF_DIR/kubelet.yaml"
    --kubeconfig "$PKI_DIR/kubelet.kubeconfig"
    --root-dir "$STATE_DIR/kubelet"
    --cert-dir "$STATE_DIR/kubelet/pki"
    --hostname-override "$NODE_NAME"
    --node-ip "$NODE_IP"
  )
  INPUTS=("$BIN_DIR/kube.stamp" "$PKI_DIR/kubelet.crt" "$CONF_DIR/kubelet.yaml")
}
ports_kubelet() { printf '%s\n' "$NODE_IP:10250" "$LOCAL_IP:10248"; }
healthy_kubelet() { https_ok "http://$LOCAL_IP:10248/healthz"; }

command_proxy() {
  COMMAND=(kube kube-proxy --config "$CONF_DIR/kube-proxy.yaml")
  INPUTS=("$BIN_DIR/kube.stamp" "$PKI_DIR/proxy.crt" "$CONF_DIR/kube-proxy.yaml")
}
# What kube-proxy finds it takes for its own, chains included that were emptied before their removal; an API server that
# stops withdraws its endpoint, and when both start again, the chain of its service stays empty.
prepare_proxy() {
  local family
  for family in ip ip6; do
    nft delete table "$family" kube-proxy 2>/dev/null || true
  done
}
ports_proxy() { printf '%s\n' "$LOCAL_IP:10256" "$LOCAL_IP:10249"; }
healthy_proxy() { https_ok "http://$LOCAL_IP:10256/healthz"; }

command_netpol() {
  COMMAND=(kube netpol --kubeconfig "$PKI_DIR/admin.kubeconfig")
  INPUTS=("$BIN_DIR/kube.stamp" "$PKI_DIR/admin.crt")
}
ports_netpol() { :; }
healthy_netpol() { nft list table ip kube-netpol; }

# --- The cluster as a whole -------------------------------------------------------------------

# api PATH: an object from the API server, as JSON; a quick way where kubectl would take longer.
api() {
  curl --silent --fail --max-time 5 --noproxy '*' --cacert "$PKI_DIR/ca.crt" \
    --cert "$PKI_DIR/admin.crt" --key "$PKI_DIR/admin.key" "$API_URL$1"
}

# node_ready: does the node say that it is ready? After a restart it goes on saying so from before
# until the kubelet, which renews the node's lease first of all, reports again. A new node has no
# lease yet, and nothing from before.
node_ready() {
  local pid renewed
  renewed=$(api "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/$NODE_NAME" |
    jq -r '.spec.renewTime') || true
  if [[ -n $renewed ]]; then
    pid=$(pid_of kubelet)
    (($(date --date "$renewed" +%s) >= $(stat --format %Y "/proc/$pid"))) || return 1
  fi
  api "/api/v1/nodes/$NODE_NAME" |
    jq -e '.status.conditions[] | select(.type == "Ready") | .status == "True"'
}

# dns_answers: CoreDNS behind its Service, which needs a pod, kube-proxy and the API server.
dns_answers() {
  timeout 2 busybox nslookup -type=a kubernetes.default.svc.cluster.local "$SERVICE_DNS_IP" |
    grep -q "$SERVICE_API_IP"
}
