#!/usr/bin/env bash
#
# How lib/process.sh reports a component that does not start, tried on harmless programs. Needs no
# cluster, and no root.

# shellcheck disable=SC2034  # the variables are read by lib/process.sh
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/tap.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../lib/process.sh"

work=$(mktemp -d)
PID_DIR=$work/pid
LOG_DIR=$work/log
PORT=27471

# Each of these is a component, as the head of lib/process.sh describes them.
command_steady() { COMMAND=(sleep 1000) INPUTS=("$work/settings"); }
ports_steady() { :; }
healthy_steady() { true; }

command_absent() { COMMAND=(no-such-program-anywhere) INPUTS=(); }
ports_absent() { :; }

command_failing() { COMMAND=(bash -c 'echo "the disk is full"; sleep 0.3; exit 3') INPUTS=(); }
ports_failing() { :; }
healthy_failing() { false; }

command_blocked() { COMMAND=(sleep 1000) INPUTS=(); }
ports_blocked() { echo "127.0.0.1:$PORT"; }

command_listener() {
  COMMAND=(socat "TCP-LISTEN:$PORT,bind=127.0.0.1,reuseaddr,fork" /dev/null) INPUTS=()
}
ports_listener() { :; }
healthy_listener() { listening 127.0.0.1 "$PORT"; }

cleanup() {
  stop steady
  stop listener
  rm -rf "$work"
}
trap cleanup EXIT

# attempt NAME: what starting it and waiting for it says; the exit status is in the last line.
attempt() {
  (ensure_started "$1" && wait_healthy "$1") 2>&1 || echo "exit status $?"
}

echo one >"$work/settings"
check "a component starts" ensure_started steady
first=$(pid_of steady)
ensure_started steady
check_same "started again while it runs, it is left alone" "$first" "$(pid_of steady)"

echo two >"$work/settings"
ensure_started steady 2>/dev/null
check "started again with other settings, it is restarted" test "$first" != "$(pid_of steady)"

first=$(pid_of steady)
kill -KILL "$first"
until ! alive steady; do sleep 0.05; done
message=$(ensure_started steady 2>&1)
check_contains "one that died is started again, and named" \
  "steady: was not running any more" "$message"

read -r _ started print <"$PID_DIR/steady"
stop steady
echo "$$ $started $print" >"$PID_DIR/steady"
check "another process with its id is not taken for it" eval '! alive steady'
rm "$PID_DIR/steady"

WATCHED=()
message=$(attempt absent)
check_contains "a missing program is named" "no program no-such-program-anywhere" "$message"
check_contains "a missing program is a failure" "exit status 1" "$message"

message=$(attempt failing)
check_contains "one that ends at its start is named" "failing failed: it ended" "$message"
check_contains "its last lines are shown" "    the disk is full" "$message"
check_contains "an end at the start is a failure" "exit status 1" "$message"

"$SCRIPTS_DIR/ensure-packages" socat
start listener
wait_healthy listener
message=$(attempt blocked)
check_contains "a port that is taken is named, and by whom" \
  "127.0.0.1:$PORT is already taken by users:((\"socat\"" "$message"
check "nothing was started on it" test ! -e "$PID_DIR/blocked"

WATCHED=(listener)
kill -KILL "$(pid_of listener)"
message=$(wait_until 5 steady "healthy" false 2>&1) || true
check_contains "one that dies while another is waited for is named" "listener failed: it ended" "$message"
finish
