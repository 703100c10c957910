#!/usr/bin/env bash
# Installs what the other scripts need, once: scripts/setup.sh [rust] [wasm] [components] [browsers] [clients]
#   rust        the Wasm target and the sources of Rust's library
#   wasm        the same, wasm-bindgen, wasm-pack, the npm packages (with Node 24 and wasm-opt)
#   components  rustfmt and clippy
#   browsers    Chromium, Firefox and their drivers
#   clients     the SDKs that tests/clients runs: npm packages, and Python ones where there is a Python
# Rust (rustup) and Node 20+ are given. A second run finds everything in place and takes a second.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

need_rust_and_node() {
  command -v cargo >/dev/null || die "cargo is missing: install Rust with rustup (https://rustup.rs)"
  [ -n "$SYSTEM_NODE" ] || die "node is missing: install Node 20 or newer (https://nodejs.org)"
  local major
  major="$("$SYSTEM_NODE" -p 'process.versions.node.split(".")[0]')"
  [ "$major" -ge 20 ] || die "Node $major is too old: install Node 20 or newer (https://nodejs.org)"
}

# rustup is called by name, because machines may forbid it to install by itself (RUSTUP_AUTO_INSTALL=0).
need_rustup() {
  command -v rustup >/dev/null || die "rustup is missing: install $1 with what installed Rust here"
}

wasm_target() {
  if [ -d "$(rustc --print target-libdir --target wasm32-unknown-unknown)" ]; then return; fi
  need_rustup "the wasm32-unknown-unknown standard library"
  say "adding the wasm32-unknown-unknown target (5 s)"
  rustup target add wasm32-unknown-unknown
}

# The Wasm carries a standard library built for its size. Without the sources it is larger, and works as well.
library_sources() {
  if [ -d "$(rustc --print sysroot)/lib/rustlib/src/rust/library" ]; then return; fi
  say "adding rust-src, the standard library's sources (5 s)"
  rustup component add rust-src || say "no rust-src to be had: the Wasm will be a fifth larger"
}

component() { # component NAME COMMAND…
  local name="$1"
  shift
  if "$@" >/dev/null 2>&1; then return; fi
  need_rustup "$name"
  say "adding $name (5 s)"
  rustup component add "$name"
}

# Unoptimised, because each tool runs for seconds and compiles for minutes; and without --locked, because
# a published lock file may name a version that a registry mirror does not have yet.
COMPILED=no
cargo_tool() { # cargo_tool CRATE VERSION FOLDER TIME
  COMPILED=yes
  say "compiling $1 $2 into $TOOLS/$3 ($4 on 2 cores, once)"
  CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
    CARGO_PROFILE_RELEASE_STRIP=symbols \
    cargo install "$1" --version "$2" --root "$TOOLS/$3" --target-dir "$TOOLS/build" --force --quiet
}

# One after the other with one build folder: what they share compiles once, and each fills the cores alone.
rust_tools() {
  if [ "$(wasm-bindgen --version 2>/dev/null)" != "wasm-bindgen $WASM_BINDGEN_VERSION" ] ||
    ! command -v wasm-bindgen-test-runner >/dev/null; then
    cargo_tool wasm-bindgen-cli "$WASM_BINDGEN_VERSION" "wasm-bindgen-$WASM_BINDGEN_VERSION" "1 to 3 min"
  fi
  if [ "$(wasm-pack --version 2>/dev/null)" != "wasm-pack $WASM_PACK_VERSION" ]; then
    cargo_tool wasm-pack "$WASM_PACK_VERSION" "wasm-pack-$WASM_PACK_VERSION" "1 to 3 min"
  fi
}

npm_packages() {
  local stamp=node_modules/.tidegate-lock now
  now="$(hash_of package-lock.json package.json pkg/package.json worker/package.json www/package.json)"
  if [ "$(cat "$stamp" 2>/dev/null)" = "$now" ]; then return; fi
  say "installing the npm packages with npm ci (1 min)"
  # The machine's own Node runs npm: the one in node_modules is about to be replaced.
  PATH="$(dirname "$SYSTEM_NODE"):$PATH" npm ci --no-audit --no-fund
  node --version | grep -q '^v24\.' || die "npm ci did not bring Node 24: are install scripts switched off?"
  printf '%s\n' "$now" >"$stamp"
}

# Packages of their own, so that the app's and the package's lock file does not move with the SDKs'.
client_packages() {
  local folder=tests/clients now
  now="$(hash_of "$folder/package-lock.json" "$folder/package.json")"
  if [ "$(cat "$folder/node_modules/.tidegate-lock" 2>/dev/null)" = "$now" ]; then return; fi
  say "installing the clients with npm ci (30 s)"
  # Scripts stay off: none of them is needed, and these are many packages.
  (cd "$folder" && PATH="$(dirname "$SYSTEM_NODE"):$PATH" npm ci --prefer-offline --ignore-scripts --no-audit --no-fund)
  printf '%s\n' "$now" >"$folder/node_modules/.tidegate-lock"
}

# Python is not needed for anything else: without a usable one its clients are skipped, and said so.
python_packages() { # python_packages FOLDER
  local folder="$1" venv="$1/.venv" now
  now="$(hash_of "$folder/requirements.txt")"
  if [ "$(cat "$venv/.tidegate-lock" 2>/dev/null)" = "$now" ]; then return; fi
  if ! python3 -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
    say "no Python 3.10 with venv: its clients are not tested"
    return
  fi
  say "installing $folder with pip (30 s)"
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$folder/requirements.txt"
  printf '%s\n' "$now" >"$venv/.tidegate-lock"
}

debian_packages() { # debian_packages PACKAGE…
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then return; fi
  # Elsewhere (Ubuntu) the package of this name only leads to a snap, which drivers cannot start.
  grep -qs '^ID=debian' /etc/os-release || return 0
  say "installing $* with apt-get (30 s)"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update >/dev/null || true
  apt-get -qq install -y --no-install-recommends "$@" >/dev/null
}

browsers() {
  local packages=()
  [ -n "$CHROME" ] || packages+=(chromium)
  [ -n "$CHROMEDRIVER" ] || packages+=(chromium-driver)
  [ -n "$FIREFOX" ] || packages+=(firefox-esr)
  [ -n "$WEBKIT_DRIVER" ] || packages+=(webkit2gtk-driver xvfb)
  if [ "${#packages[@]}" -gt 0 ]; then debian_packages "${packages[@]}"; fi
  if [ -z "$GECKODRIVER" ]; then
    cargo_tool geckodriver "$GECKODRIVER_VERSION" "geckodriver-$GECKODRIVER_VERSION" "2 min"
  fi
  . "$ROOT/scripts/env.sh" # looks for them again
  [ -n "$CHROME" ] || die "no Chrome found: install Chrome or Chromium, or set CHROME to its path"
  [ -n "$CHROMEDRIVER" ] || die "no chromedriver found: install the one of your Chrome, or set CHROMEDRIVER to its path"
  [ -n "$FIREFOX" ] || die "no Firefox found: install Firefox, or set FIREFOX to its path"
  [ -n "$WEBKIT_DRIVER" ] || say "no WebKit found (Debian: webkit2gtk-driver and xvfb): pages are not tried in it"
}

main() {
  need_rust_and_node
  local level
  for level in "${@:-wasm}"; do
    # Lines of their own, not joined by &&: that would switch `set -e` off inside the functions.
    case "$level" in
      rust)
        wasm_target
        library_sources
        ;;
      wasm)
        wasm_target
        library_sources
        rust_tools
        npm_packages
        ;;
      components)
        component rustfmt cargo fmt --version
        component clippy cargo clippy --version
        ;;
      browsers) browsers ;;
      clients)
        client_packages
        python_packages tests/clients/python
        python_packages tests/clients/fuzz
        ;;
      *) die "unknown level '$level': rust, wasm, components, browsers or clients" ;;
    esac
  done
  if [ "$COMPILED" = yes ]; then rm -rf "$TOOLS/build"; fi
}

main "$@"
