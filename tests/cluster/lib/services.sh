# shellcheck shell=bash disable=SC2034  # variables are read by the other files of lib/
#
# The services beside the cluster, all on loopback; see lib/process.sh for what the functions mean.

SERVICES=(registry nats docker-containerd docker)

# Where lib/process.sh keeps things; the cluster's are elsewhere.
PID_DIR=$SERVICES_DIR/pid
LOG_DIR=$SERVICES_DIR/log

# --- An image registry, plain http, without passwords --------------------------------------

command_registry() {
  COMMAND=(docker-registry serve "$SERVICES_CONF_DIR/registry.yaml")
  INPUTS=("$SERVICES_CONF_DIR/registry.yaml")
}
ports_registry() { echo "127.0.0.1:$REGISTRY_PORT"; }
healthy_registry() { https_ok "http://127.0.0.1:$REGISTRY_PORT/v2/"; }

# --- NATS with JetStream, behind a token -----------------------------------------------------

command_nats() {
  COMMAND=(nats-server --config "$SERVICES_CONF_DIR/nats.conf")
  INPUTS=("$SERVICES_CONF_DIR/nats.conf")
}
ports_nats() { echo "127.0.0.1:$NATS_PORT"; }

# healthy_nats: the server greets each connection with a line of what it can do.
healthy_nats() {
  local line
  exec 3<>"/dev/tcp/127.0.0.1/$NATS_PORT" || return 1
  read -r -t 2 line <&3 || line=
  exec 3>&-
  [[ $line == INFO*'"jetstream":true'* ]]
}

# --- Docker, and a containerd for it alone: it would otherwise use the machine's --------------

command_docker-containerd() {
  COMMAND=(containerd --config "$SERVICES_CONF_DIR/docker-containerd.toml" --log-level warn)
  INPUTS=("$SERVICES_CONF_DIR/docker-containerd.toml")
}
ports_docker-containerd() { :; }
healthy_docker-containerd() {
  command ctr --address "$SERVICES_VOLATILE_DIR/containerd.sock" version
}

command_docker() {
  COMMAND=(dockerd --config-file "$SERVICES_CONF_DIR/docker.json" --log-level warn)
  INPUTS=("$SERVICES_CONF_DIR/docker.json")
}
ports_docker() { :; }
healthy_docker() {
  curl --silent --fail --max-time 2 --unix-socket "$DOCKER_SOCKET" http://docker/_ping
}

# docker ARGUMENT...: whichever client there is, at our daemon.
docker() {
  DOCKER_HOST=unix://$DOCKER_SOCKET DOCKER_CONFIG=$SERVICES_CONF_DIR/docker command docker "$@"
}

# --- All of them -------------------------------------------------------------------------------

# configure_services: writes their configuration files.
configure_services() {
  local name
  mkdir -p "$SERVICES_CONF_DIR/docker" "$SERVICES_VOLATILE_DIR"
  if [[ ! -s $SERVICES_DIR/nats.token ]]; then
    (umask 077 && openssl rand -hex 16 >"$SERVICES_DIR/nats.token")
  fi
  for name in registry.yaml docker-containerd.toml docker.json; do
    render "$CLUSTER_DIR/conf/$name" "$SERVICES_CONF_DIR/$name"
  done
  (umask 077 && NATS_TOKEN=$(<"$SERVICES_DIR/nats.token") &&
    render "$CLUSTER_DIR/conf/nats.conf" "$SERVICES_CONF_DIR/nats.conf")
}

# docker_bridge_up: BuildKit wants a bridge even for builds that use no network. This one leads
# nowhere: no addresses are translated, and no firewall rules are made for it.
docker_bridge_up() {
  ip link show "$DOCKER_BRIDGE" >/dev/null 2>&1 || ip link add "$DOCKER_BRIDGE" type bridge
  ip addr replace "$DOCKER_BRIDGE_ADDRESS" dev "$DOCKER_BRIDGE"
  ip link set "$DOCKER_BRIDGE" up
}

# docker_bridge_down: also the directory that dockerd makes for plugins, whatever its settings.
docker_bridge_down() {
  ip link delete "$DOCKER_BRIDGE" 2>/dev/null || true
  rmdir /run/docker/plugins /run/docker 2>/dev/null || true
}

# load_base_image: what engines are built on, into Docker, unless it is there in this version.
load_base_image() {
  local tar=$IMAGE_DIR/deno.tar reference config have
  reference=$(tar -xOf "$tar" manifest.json | jq -r '.[0].RepoTags[0]')
  config=$(tar -xOf "$tar" manifest.json | jq -r '.[0].Config')
  have=$(docker image inspect --format '{{.Id}}' "$reference" 2>/dev/null) || have=
  [[ $have != "sha256:${config##*/}" ]] || return 0
  say "loading $reference into Docker"
  docker load --quiet --input "$tar" >/dev/null || die "$reference could not be loaded into Docker"
}
