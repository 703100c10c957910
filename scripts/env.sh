# shellcheck shell=bash
# Sourced by every script: the versions of the tools, where they lie, and what the scripts share.
# Needs nothing installed and prints nothing.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$ROOT" || exit

# The CLI must equal the crate, so the lock file is the one place that says which.
WASM_BINDGEN_VERSION="$(awk '$0 == "name = \"wasm-bindgen\"" { getline; gsub(/[^0-9.]/, ""); print; exit }' Cargo.lock)"
WASM_PACK_VERSION=0.15.1
GECKODRIVER_VERSION=0.37.1

# One folder per tool and version, outside the checkout: a fresh clone finds them again.
TOOLS="${TIDEGATE_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/tidegate-tools}"

# The Node that the machine brought; node_modules/.bin brings a newer one (wrangler and vitest need it).
if [ -z "${SYSTEM_NODE:-}" ]; then
  SYSTEM_NODE="$(type -aP node | grep -v '/node_modules/' | head -n 1 || true)"
fi
export SYSTEM_NODE

# node_modules/.bin first: its wasm-opt, because older ones break the externref table, and its Node 24.
for folder in "geckodriver-$GECKODRIVER_VERSION" "wasm-pack-$WASM_PACK_VERSION" "wasm-bindgen-$WASM_BINDGEN_VERSION"; do
  if [ -d "$TOOLS/$folder/bin" ]; then PATH="$TOOLS/$folder/bin:$PATH"; fi
done
export PATH="$ROOT/node_modules/.bin:$PATH"

export WRANGLER_SEND_METRICS=false NO_UPDATE_NOTIFIER=1
# Node 20 runs npm, which would warn of each package that wants a newer one: node_modules/.bin brings it.
export npm_config_loglevel=error

# The first of the given commands or paths that exists; nothing when none does.
first_of() {
  local candidate
  for candidate in "$@"; do
    if command -v "$candidate" 2>/dev/null; then return; fi
  done
}

# Set by hand, these win. The paths after the names are macOS and hosted CI machines.
export CHROME="${CHROME:-$(first_of chromium chromium-browser google-chrome google-chrome-stable \
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" /Applications/Chromium.app/Contents/MacOS/Chromium)}"
export CHROMEDRIVER="${CHROMEDRIVER:-$(first_of "${CHROMEWEBDRIVER:-/nowhere}/chromedriver" chromedriver)}"
export FIREFOX="${FIREFOX:-$(first_of firefox-esr firefox /Applications/Firefox.app/Contents/MacOS/firefox)}"
export GECKODRIVER="${GECKODRIVER:-$(first_of "${GECKOWEBDRIVER:-/nowhere}/geckodriver" geckodriver)}"

# Not needed: where they are missing, pages are tried in two browsers, and none of them has a window.
export XVFB="${XVFB:-$(first_of Xvfb)}"
export WEBKIT_DRIVER="${WEBKIT_DRIVER:-${XVFB:+$(first_of WebKitWebDriver)}}"

say() { printf 'tidegate: %s\n' "$*"; }
die() { printf 'tidegate: %s\n' "$*" >&2; exit 1; }

# `step TITLE COMMAND…` prints a headline with the seconds since the script began, then runs the command.
step() {
  printf '\n==> [%4d s] %s\n' "$SECONDS" "$1"
  shift
  "$@"
}

# `together LANE…` runs functions at once, for steps that leave a core idle: compilers wait for their last crate, suites for
# timers and browsers. The first one's output is seen as it comes, the others' in one piece each when all have ended. Fails
# if one fails, which stops no other, so that all failures are told.
together() {
  local lane logs failed="" pids=() at=0
  logs="$(mktemp -d)"
  set -m # a process group for each lane, so that an interrupt reaches everything in it
  # shellcheck disable=SC2064 # the folder of this call
  trap "rm -rf '$logs'" EXIT
  trap 'for lane in "${pids[@]}"; do kill -- "-$lane" 2>/dev/null; done; exit 130' INT TERM
  for lane in "$@"; do
    if [ "$at" = 0 ]; then "$lane" </dev/null & else "$lane" </dev/null >"$logs/$lane" 2>&1 & fi
    pids+=("$!")
    at=$((at + 1))
  done
  set +m
  at=0
  for lane in "$@"; do
    wait "${pids[$at]}" || failed="$failed $lane"
    if [ -f "$logs/$lane" ]; then cat "$logs/$lane"; fi
    at=$((at + 1))
  done
  trap - INT TERM EXIT
  rm -rf "$logs"
  if [ -n "$failed" ]; then die "failed:$failed"; fi
}

# A hash over the contents and names of files or folders; what does not exist counts as absent.
hash_of() {
  local existing=() path
  for path in "$@"; do
    if [ -e "$path" ]; then existing+=("$path"); fi
  done
  find "${existing[@]}" -type f -print0 | LC_ALL=C sort -z | xargs -0 cksum | cksum | tr -d ' '
}
