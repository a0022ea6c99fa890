# shellcheck shell=bash
#
# Starting, watching and stopping long-running programs. A component NAME is described by
# three functions:
#
#   command_NAME   sets the array COMMAND, and INPUTS to the files it depends on
#   ports_NAME     prints the ADDRESS:PORTs it will listen on, one a line
#   healthy_NAME   succeeds once it does its work
#
# and, where something is to be done before each start, by prepare_NAME.
#
# Its log is $LOG_DIR/NAME.log (of this start; the one before is NAME.log.1). Its pid file
# holds the process id, the process's start time, so that a reused id is not taken for it,
# and a fingerprint of what it was started with, so that a changed setting restarts it.

# Whether this run of the script has started anything.
STARTED=no

# The components that this run of the script depends on: each wait looks at all of them.
WATCHED=()

# process_start_time PID: prints when it started; fails if there is no such live process. One that
# has ended but was not waited for is no longer live, unless other threads of it still are.
process_start_time() {
  local stat fields threads
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  # The name in parentheses may hold spaces; after it the fields are state, parent, …
  read -r -a fields <<<"${stat##*) }"
  if [[ ${fields[0]} == Z ]]; then
    threads=("/proc/$1/task"/*)
    ((${#threads[@]} > 1)) || return 1
  fi
  echo "${fields[19]}"
}

# pid_of NAME: prints the process id of a component that is running.
pid_of() {
  local pid started _
  [[ -f $PID_DIR/$1 ]] || return 1
  read -r pid started _ <"$PID_DIR/$1" || return 1
  [[ $(process_start_time "$pid") == "$started" ]] || return 1
  echo "$pid"
}

alive() {
  pid_of "$1" >/dev/null
}

# fingerprint NAME: over the component's command line and everything it reads at its start.
fingerprint() {
  local -a COMMAND=() INPUTS=()
  "command_$1"
  { printf '%s\n' "${COMMAND[@]}" && cat "${INPUTS[@]}"; } </dev/null | sha256sum | cut -d ' ' -f 1
}

# component_failed NAME REASON...: says which component failed and why, shows the end of its
# log, and exits.
component_failed() {
  local name=$1
  shift
  {
    echo "cluster: error: $name failed: $*"
    if [[ -s $LOG_DIR/$name.log ]]; then
      echo "cluster: the last lines of $LOG_DIR/$name.log:"
      tail -n 12 "$LOG_DIR/$name.log" | cut -c 1-500 | sed 's/^/    /'
    fi
  } >&2
  exit 1
}

# check_ports NAME: fails with the name of whoever listens where NAME is about to.
check_ports() {
  local address port listener
  while IFS=: read -r address port; do
    [[ -n $port ]] || continue
    listener=$(ss -Hltnp "sport = :$port" | awk -v address="$address" -v port="$port" '
      $4 == address ":" port || $4 == "0.0.0.0:" port || $4 == "*:" port || $4 == "[::]:" port {
        print $NF
        exit
      }')
    [[ -z $listener ]] || component_failed "$1" "$address:$port is already taken by $listener"
  done < <("ports_$1")
}

# start NAME: starts the component detached from this script.
start() {
  local name=$1
  local -a COMMAND=() INPUTS=()
  mkdir -p "$LOG_DIR" "$PID_DIR"
  [[ ! -f $LOG_DIR/$name.log ]] || mv -f "$LOG_DIR/$name.log" "$LOG_DIR/$name.log.1"
  "command_$name"
  command -v "${COMMAND[0]}" >/dev/null || component_failed "$name" "there is no program ${COMMAND[0]}"
  check_ports "$name"
  ! declare -F "prepare_$name" >/dev/null || "prepare_$name"
  setsid "${COMMAND[@]}" >"$LOG_DIR/$name.log" 2>&1 </dev/null 9>&- &
  local pid=$! started
  STARTED=yes
  disown
  started=$(process_start_time "$pid") || component_failed "$name" "it ended at once"
  echo "$pid $started $(fingerprint "$name")" >"$PID_DIR/$name"
}

# ensure_started NAME: starts the component if it is not running as it should.
ensure_started() {
  local name=$1 print
  WATCHED+=("$name")
  if alive "$name"; then
    read -r _ _ print <"$PID_DIR/$name"
    [[ $print != "$(fingerprint "$name")" ]] || return 0
    say "$name: its settings changed; restarting it"
    stop "$name"
  elif [[ -f $PID_DIR/$name ]]; then
    say "$name: was not running any more; starting it again"
  fi
  start "$name"
}

# progress TEXT...: like say, but only when something was started: otherwise nothing has changed.
progress() {
  [[ $STARTED == no ]] || say "$@"
}

# check_watched: fails if any component that was running has ended.
check_watched() {
  local name
  for name in "${WATCHED[@]}"; do
    alive "$name" || component_failed "$name" "it ended"
  done
}

# wait_until SECONDS NAME WHAT COMMAND...: polls until the command succeeds; if it does not
# in time, or a watched component ends, that component has failed.
wait_until() {
  local seconds=$1 name=$2 what=$3
  shift 3
  local deadline=$((SECONDS + seconds))
  until "$@" >/dev/null 2>&1; do
    check_watched
    ((SECONDS < deadline)) || component_failed "$name" "$what not within $seconds s"
    sleep 0.1
  done
  check_watched
}

# wait_healthy NAME...: waits until each does its work.
wait_healthy() {
  local name
  for name in "$@"; do
    wait_until 60 "$name" "healthy" "healthy_$name"
  done
}

# stop NAME: ends the component and whatever it left in its process group.
stop() {
  local pid
  if pid=$(pid_of "$1"); then
    kill "$pid" 2>/dev/null || true
    for _ in {1..50}; do
      process_start_time "$pid" >/dev/null || break
      sleep 0.1
    done
    kill -KILL -- "-$pid" 2>/dev/null || true
    for _ in {1..20}; do
      process_start_time "$pid" >/dev/null || break
      sleep 0.05
    done
  fi
  rm -f "$PID_DIR/$1"
}

# https_ok URL [CA]: does it answer with a success status?
https_ok() {
  if (($# == 2)); then
    curl --silent --fail --max-time 2 --noproxy '*' --cacert "$2" "$1"
  else
    curl --silent --fail --max-time 2 --noproxy '*' --insecure "$1"
  fi
}

# listening ADDRESS PORT: does something accept connections there?
listening() {
  (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null
}

# report_all NAME...: a line for each; fails unless all are healthy.
report_all() {
  local name pid state status=0
  for name in "$@"; do
    if ! pid=$(pid_of "$name"); then
      pid=- state=stopped status=1
      [[ ! -f $PID_DIR/$name ]] || state="died (log: $LOG_DIR/$name.log)"
    elif "healthy_$name" >/dev/null 2>&1; then
      state=healthy
    else
      state="not healthy (log: $LOG_DIR/$name.log)" status=1
    fi
    printf '%-18s %8s  %s\n' "$name" "$pid" "$state"
  done
  return "$status"
}
