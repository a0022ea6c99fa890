#!/usr/bin/env bash
#
# The services beside the cluster, and the two ways of an image into it: from the registry, and by
# the stand-in for kind.

# shellcheck disable=SC2016  # what is given to eval expands there
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/tap.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../lib/services.sh"

"$CLUSTER_DIR/up"
"$CLUSTER_DIR/services" up
namespace=$(new_namespace services)
kubectl label namespace "$namespace" pod-security.kubernetes.io/enforce- >/dev/null
work=$(mktemp -d)
image=127.0.0.1:$REGISTRY_PORT/testbed/$namespace:1
local_image=testbed-$namespace:latest

cleanup() {
  kubectl delete namespace "$namespace" --wait=false >/dev/null
  docker image rm --force "$image" "$local_image" >/dev/null 2>&1 || true
  ctr images remove "$image" "docker.io/library/$local_image" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap cleanup EXIT

# build: the image, by the builder that DOCKER_BUILDKIT says.
build() {
  docker build --no-cache --tag "$image" "$work" 2>&1
}

cat >"$work/main.ts" <<'PROGRAM'
console.log(Deno.readTextFileSync("/proc/version"));
setInterval(() => {}, 1000);
PROGRAM
cat >"$work/Dockerfile" <<'DOCKERFILE'
FROM denoland/deno:distroless
COPY main.ts /app/main.ts
RUN ["deno", "cache", "/app/main.ts"]
USER 65534:65534
ENTRYPOINT ["/bin/deno", "run", "-A", "/app/main.ts"]
DOCKERFILE

check "the services are healthy" "$CLUSTER_DIR/services" status
check "they can be started again" "$CLUSTER_DIR/services" up

export DOCKER_BUILDKIT=0
check "Docker's first builder makes an image with a RUN step" build
if command docker buildx version >/dev/null 2>&1 || [[ $(docker --version) == *" 20.10"* ]]; then
  export DOCKER_BUILDKIT=1
  check "BuildKit makes an image with a RUN step" build
else
  # The client in front has no BuildKit part; Debian's client has.
  check "BuildKit makes an image with a RUN step" \
    env DOCKER_BUILDKIT=1 DOCKER_HOST="unix://$DOCKER_SOCKET" \
    /usr/bin/docker build --no-cache --tag "$image" "$work"
fi
check "the image can be pushed to the registry" docker push --quiet "$image"

sed "s#@NAMESPACE@#$namespace#; s#@IMAGE@#$image#; s#@REGISTRY@#127.0.0.1:$REGISTRY_PORT#" \
  "$CLUSTER_DIR/test/manifests/pull.yaml" >"$work/pull.yaml"
for _ in {1..50}; do
  ! kubectl -n "$namespace" get serviceaccount default >/dev/null 2>&1 || break
  sleep 0.1
done
kubectl apply -f "$work/pull.yaml" >/dev/null
check "pods pull it and run, in runc and in gVisor" \
  kubectl -n "$namespace" wait --for=condition=Ready pod/plain pod/sealed --timeout=60s

# log POD: what the pod says, once it says something.
log() {
  local text
  for _ in {1..50}; do
    text=$(kubectl -n "$namespace" logs "$1" 2>&1)
    [[ -z $text ]] || break
    sleep 0.1
  done
  echo "$text"
}

check_contains "the kernel that the sandboxed pod sees is gVisor's" gvisor "$(log sealed)"
check "the other pod's is the machine's" eval '[[ $(log plain) == *"$(uname -r)"* ]]'

# waiting_reason POD: why its container does not run.
waiting_reason() {
  kubectl -n "$namespace" get pod "$1" \
    -o jsonpath='{.status.containerStatuses[0].state.waiting.reason}'
}
for pod in unknown outside; do
  check_contains "an image that cannot be pulled is an error at once ($pod)" ImagePull \
    "$(waiting_reason "$pod")"
done

docker tag "$image" "$local_image"
check "the stand-in for kind loads an image" \
  env DOCKER_HOST="unix://$DOCKER_SOCKET" \
  "$CLUSTER_DIR/bin/kind" load docker-image --name "$KIND_NAME" "$local_image"
check "a pod runs it without a registry" \
  kubectl -n "$namespace" run loaded --image="$local_image" --image-pull-policy=Never
check "and becomes ready" \
  kubectl -n "$namespace" wait --for=condition=Ready pod/loaded --timeout=30s
check "the stand-in for kind refuses any other command" eval '! "$CLUSTER_DIR/bin/kind" version'

# nats_login TOKEN: what the server says to a client that logs in with the token.
nats_login() {
  local line
  exec 3<>"/dev/tcp/127.0.0.1/$NATS_PORT"
  printf 'CONNECT {"auth_token":"%s","verbose":false}\r\nPING\r\n' "$1" >&3
  read -r line <&3
  read -r -t 2 line <&3 || line=
  exec 3>&-
  echo "${line%$'\r'}"
}
check_same "NATS lets in who has the token" PONG "$(nats_login "$(<"$SERVICES_DIR/nats.token")")"
check_contains "NATS refuses who has not" "Authorization Violation" "$(nats_login wrong)"
check "the lines of env are a shell's" eval "$("$CLUSTER_DIR/env")"
finish
