# shellcheck shell=bash
# shellcheck disable=SC2034  # What is set here is used by the scripts that source this file.
# What every script here needs: talking, failing, running something quietly. Sourced, not run.

# The checkout, two folders above this file.
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)
logs="$root/ops/out/logs"

rust_oldest=1.95

say() { printf '%s\n' "$*"; }
warn() { printf 'note: %s\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}
usage_error() {
  printf '%s: %s\nTry %s --help.\n' "$0" "$1" "$0" >&2
  exit 2
}

is_root() { [ "$(id -u)" -eq 0 ]; }
has() { command -v "$1" >/dev/null 2>&1; }

# Prints "<name>: <n> s" now and then, so that a long silence is not taken for a hang. Ends when it is killed, or with
# the shell that started it.
heartbeat() {
  local name=$1 period=$2 log=$3 parent=$$ started=$SECONDS crates never
  # Waiting for a line that never comes, because a sleep would be a process of its own and outlive us.
  exec {never}<> <(:)
  until read -r -t "$period" -u "$never" || ! kill -0 "$parent"; do
    crates=$(grep -c '^ *Compiling ' "$log" || true)
    if [ "${crates:-0}" -gt 0 ]; then
      say "      $name: $((SECONDS - started)) s, $crates crates compiled"
    else
      say "      $name: $((SECONDS - started)) s"
    fi
  done
}

# Runs a command or function in a subshell with its output in a log: logged NAME LOG COMMAND...
# Leaves its exit status in `logged_status` rather than returning it: were this called under `if` or `||`, then bash
# would let the command go on after an error inside, whatever `set -e` says.
logged_status=0
logged() {
  local name=$1 log=$2 beat
  shift 2
  mkdir -p -- "$(dirname -- "$log")"
  : >"$log"
  heartbeat "$name" 20 "$log" 2>/dev/null &
  beat=$!
  set +e
  (
    set -euo pipefail
    "$@"
  ) >"$log" 2>&1 </dev/null
  logged_status=$?
  set -e
  kill "$beat" 2>/dev/null || true
  wait "$beat" 2>/dev/null || true
}

show_tail() {
  say "      the end of $1:"
  tail -n "${2:-40}" -- "$1" | sed 's/^/      | /'
}

# A default place for an application's durable data, the same as onetrip_cluster::default_base_dir gives.
default_data_folder() {
  if is_root; then
    say "/var/lib/onetrip-0"
  elif [[ ${XDG_DATA_HOME:-} == /* ]]; then
    say "$XDG_DATA_HOME/onetrip"
  elif [[ ${HOME:-} == /* ]]; then
    say "$HOME/.local/share/onetrip"
  else
    die "neither HOME nor XDG_DATA_HOME names a folder to keep data in: set one, or give --data-dir"
  fi
}

# For what can be fetched again.
cache_folder() {
  if [[ ${XDG_CACHE_HOME:-} == /* ]]; then
    say "$XDG_CACHE_HOME/onetrip"
  else
    say "${HOME:-/tmp}/.cache/onetrip"
  fi
}
