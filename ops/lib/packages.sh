# shellcheck shell=bash
# Getting what is missing, from Debian's archive where we may. Sourced after common.sh.

: "${logs:?common.sh comes first}" "${rust_oldest:?}"

# Whether we may install Debian packages without asking anybody.
can_install() {
  has apt-get && { is_root || { has sudo && sudo -n true 2>/dev/null; }; }
}

as_root() {
  if is_root; then "$@"; else sudo -n "$@"; fi
}

apt_is_fresh=no

# apt_install PACKAGE...: quiet, with the end of the log when it fails.
apt_install() {
  local log="$logs/apt.log"
  mkdir -p -- "$logs"
  say "      installing $* ..."
  if [ "$apt_is_fresh" = no ]; then
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q update >"$log" 2>&1 </dev/null ||
      warn "apt-get update failed; trying with the package lists there are"
    apt_is_fresh=yes
  fi
  # Settings that an administrator has changed are kept without a question.
  if ! as_root env DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 \
    apt-get -q install -y --no-install-recommends -o Dpkg::Options::=--force-confold "$@" \
    >>"$log" 2>&1 </dev/null; then
    show_tail "$log" 20 >&2
    return 1
  fi
}

# Makes `cargo` callable, or says how to get it.
ensure_rust() {
  if ! has cargo && [ -x "${HOME:-}/.cargo/bin/cargo" ]; then
    PATH="$HOME/.cargo/bin:$PATH"
  fi
  has cargo || die "no Rust toolchain found: install Rust $rust_oldest or newer with rustup, then run this again"
  local version
  version=$(cargo --version | awk '{ print $2 }')
  if [ "$(printf '%s\n' "$rust_oldest" "$version" | sort -V | head -n 1)" != "$rust_oldest" ]; then
    die "Rust $rust_oldest or newer is needed, and cargo here is $version: run rustup update, then this again"
  fi
}

# Makes sure that there is a C compiler: some crates bring C code, and Rust links with it.
ensure_cc() {
  has cc && return
  if can_install; then
    apt_install gcc libc6-dev
  else
    die "no C compiler (cc) found. As root: apt-get install gcc libc6-dev"
  fi
}

ensure_python() {
  if has python3 && python3 -c 'import ensurepip, venv' 2>/dev/null; then return; fi
  if can_install; then
    apt_install python3 python3-venv
  else
    die "python3 with venv is needed. As root: apt-get install python3 python3-venv"
  fi
}

ensure_node() {
  if has node && has npm; then return; fi
  if can_install; then
    apt_install nodejs npm
  else
    die "node and npm are needed for the browser journeys (ops/test --quick leaves them out). As root: apt-get install nodejs npm"
  fi
}

# Prints the browser's path, or nothing.
find_chromium() {
  local name
  if [ -n "${CHROMIUM:-}" ]; then
    command -v -- "$CHROMIUM" || true
    return
  fi
  for name in chromium chromium-browser google-chrome-stable google-chrome; do
    if command -v "$name"; then return; fi
  done
}

# Sets and exports CHROMIUM.
ensure_chromium() {
  local found
  found=$(find_chromium)
  if [ -z "$found" ] && [ -n "${CHROMIUM:-}" ]; then
    die "CHROMIUM is $CHROMIUM, which is no program that can be run"
  fi
  if [ -z "$found" ] && can_install; then
    apt_install chromium fonts-noto-cjk
    found=$(find_chromium)
  fi
  [ -n "$found" ] ||
    die "no Chromium found for the browser journeys (ops/test --quick leaves them out). As root: apt-get install chromium fonts-noto-cjk; or set CHROMIUM to the path of one"
  export CHROMIUM=$found
  ensure_chinese_font
}

# Without one, Chinese text is drawn as boxes; the journeys run all the same.
ensure_chinese_font() {
  if ! has fc-list || [ -n "$(fc-list :lang=zh-cn file 2>/dev/null)" ]; then return; fi
  if can_install; then
    apt_install fonts-noto-cjk
  else
    warn "no Chinese font found: screenshots will show boxes. As root: apt-get install fonts-noto-cjk"
  fi
}

schemathesis_version=4.32.5

# Makes the API fuzzer's own Python environment and puts it first in PATH.
ensure_schemathesis() {
  ensure_python
  local venv
  venv="$(cache_folder)/schemathesis-$schemathesis_version"
  # The mark is set last, so that a half-made environment is made again.
  if [ ! -e "$venv/complete" ]; then
    rm -rf -- "$venv"
    mkdir -p -- "$(dirname -- "$venv")"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install -q --disable-pip-version-check "schemathesis==$schemathesis_version"
    : >"$venv/complete"
  fi
  PATH="$venv/bin:$PATH"
}
