# shellcheck shell=bash
#
# A few lines of test reporting: each check prints `ok - sentence` or `not ok - sentence`, and the end
# prints `N passed, M failed`. Sourced by the tests in this directory.

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
# What no check guards must succeed, or the script ends, without its closing line.
set +o errtrace
trap 'echo "not ok - ${BASH_SOURCE[0]##*/} goes on after line $LINENO: $BASH_COMMAND"' ERR

PASSED=0
FAILED=0

# passed SENTENCE / failed SENTENCE [DETAIL]: one result; the detail goes below, indented.
passed() {
  PASSED=$((PASSED + 1))
  echo "ok - $1"
}

failed() {
  FAILED=$((FAILED + 1))
  echo "not ok - $1"
  [[ -z ${2:-} ]] || printf '#   %s\n' "${2//$'\n'/$'\n'#   }"
}

# check SENTENCE COMMAND...: passed if the command succeeds; otherwise its output is the detail.
check() {
  local sentence=$1 output
  shift
  if output=$("$@" 2>&1); then
    passed "$sentence"
  else
    failed "$sentence" "$(tail -n 15 <<<"$output")"
  fi
}

# check_same SENTENCE EXPECTED ACTUAL: passed if both are the same text.
check_same() {
  if [[ $2 == "$3" ]]; then
    passed "$1"
  else
    failed "$1" "$(diff <(echo "$2") <(echo "$3") || true)"
  fi
}

# check_contains SENTENCE PART TEXT
check_contains() {
  if [[ $3 == *"$2"* ]]; then
    passed "$1"
  else
    failed "$1" "expected to find: $2"$'\n'"in: $3"
  fi
}

# finish: the closing line, and the exit status.
finish() {
  echo "$PASSED passed, $FAILED failed"
  ((FAILED == 0))
}

# new_namespace PREFIX: creates a namespace of the test's own, and prints its name.
new_namespace() {
  local name
  name=$1-$(date +%s)-$RANDOM
  kubectl create namespace "$name" >/dev/null
  kubectl label namespace "$name" pod-security.kubernetes.io/enforce=restricted >/dev/null
  echo "$name"
}
