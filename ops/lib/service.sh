# shellcheck shell=bash
# Running the demonstration service for tests, and stopping what was started. Sourced after common.sh.

: "${logs:?common.sh comes first}"

service_ready_seconds=180
service_stop_seconds=60

service_pid=
service_folder=
service_port=
service_log="$logs/service.log"

# service_start BINARY: in a folder of its own on a free port, with the addresses in the environment.
service_start() {
  # Open for passage, because root's PostgreSQL server runs under another account.
  service_folder=$(mktemp -d -- "${TMPDIR:-/tmp}/onetrip-e2e.XXXXXX")
  chmod 711 "$service_folder"
  service_port=$(free_port)
  export ONETRIP_BASE_URL="http://127.0.0.1:$service_port"
  export ONETRIP_SIGN_INS="$service_folder/data/demo-sign-ins.json"
  : >"$service_log"
  if [ ! -x "$1" ]; then
    say "$1 is missing: it was not built" >"$service_log"
    return
  fi
  # A server that was named for the Rust tests is none to put demonstration data on.
  env -u DATABASE_URL "$1" demo --port "$service_port" --data-dir "$service_folder/data" \
    >"$service_log" 2>&1 </dev/null &
  service_pid=$!
}

# Below the range that Linux hands out to outgoing connections, so that nobody is given it meanwhile.
free_port() {
  local attempt port
  for attempt in {1..200}; do
    port=$((20000 + (RANDOM + attempt) % 10000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      say "$port"
      return
    fi
  done
  die "no free port found between 20000 and 30000"
}

service_runs() { [ -n "$service_pid" ] && kill -0 "$service_pid" 2>/dev/null; }

# The status code of a GET, or nothing. curl may not be installed.
http_status() (
  exec 3<>"/dev/tcp/127.0.0.1/$service_port" || exit 1
  printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n' "$1" "$service_port" >&3
  read -r -t 5 _ status _ <&3 || exit 1
  printf '%s' "$status"
) 2>/dev/null

# Succeeds once /readyz does; fails when the service has ended or the time is up.
service_wait_ready() {
  local until=$((SECONDS + service_ready_seconds))
  while [ "$SECONDS" -lt "$until" ]; do
    if ! service_runs; then
      tail -n 60 -- "$service_log"
      die "the service has ended before it was ready"
    fi
    if [ "$(http_status /readyz || true)" = 200 ]; then
      [ -s "$ONETRIP_SIGN_INS" ] || die "the service is ready but has not written $ONETRIP_SIGN_INS"
      return
    fi
    sleep 0.2
  done
  tail -n 60 -- "$service_log"
  die "the service was not ready after $service_ready_seconds s"
}

# ended_within PID SECONDS
ended_within() {
  local until=$((SECONDS + $2))
  while kill -0 "$1" 2>/dev/null; do
    # A process that has ended and was not waited for is still there by number.
    case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null || true) in Z* | '') return 0 ;; esac
    [ "$SECONDS" -lt "$until" ] || return 1
    sleep 0.1
  done
}

# As Ctrl-C does. Succeeds when the service and its database have ended in time.
service_stop() {
  service_runs || die "the service was not running any more; its log is $service_log"
  kill -INT "$service_pid"
  if ! ended_within "$service_pid" "$service_stop_seconds"; then
    tail -n 40 -- "$service_log"
    die "the service did not stop within $service_stop_seconds s of an interrupt"
  fi
  if [ -n "$(service_database_pid)" ]; then
    die "the service has stopped but left its database server running"
  fi
}

# The process number of a database server that lives below our folder, or nothing.
service_database_pid() {
  local file pid
  [ -n "$service_folder" ] || return 0
  file=$(find "$service_folder" -name postmaster.pid -print -quit 2>/dev/null || true)
  [ -n "$file" ] || return 0
  pid=$(head -n 1 -- "$file" 2>/dev/null || true)
  if [ "$(cat "/proc/$pid/comm" 2>/dev/null || true)" = postgres ]; then say "$pid"; fi
}

# Whatever happened: nothing that was started here goes on, and its folder goes. For the end of the script.
service_clean_up() {
  local database
  if service_runs; then
    kill -INT "$service_pid" 2>/dev/null || true
    ended_within "$service_pid" 20 || kill -KILL "$service_pid" 2>/dev/null || true
  fi
  database=$(service_database_pid)
  if [ -n "$database" ]; then
    # The fast way to stop a PostgreSQL server.
    kill -INT "$database" 2>/dev/null || true
    ended_within "$database" 20 || true
  fi
  if [ -n "$service_folder" ]; then rm -rf -- "$service_folder"; fi
  service_pid=
  service_folder=
}
