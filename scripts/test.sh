#!/usr/bin/env bash
# Every test, each printed by its own runner: native, in browsers, in Node, in workerd, end to end, packaged. Two lanes at a
# time: suites wait more than they work.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

has_tests() { [ -n "$(find "$1" -name '*.test.*' -not -path '*/node_modules/*' -print -quit 2>/dev/null)" ]; }

# npm puts its own Node first on the PATH, so the machine's Node runs the script without npm.
with_system_node() { # with_system_node WORKSPACE
  local script
  script="$(node -p 'require("./'"$1"'/package.json").scripts?.test ?? ""')"
  if [ -n "$script" ]; then
    (cd "$1" && PATH="$(dirname "$SYSTEM_NODE"):$PATH" sh -c "$script")
  fi
}

# The test runner takes the first driver that the environment names, so it may see only the one that is meant.
# wasm-pack takes cargo's options after the path, without `--`.
boundary() { # boundary BROWSER DRIVER-OPTION DRIVER
  local file tests=()
  for file in $(grep -l wasm_bindgen_test tests/*.rs); do
    tests+=(--test "$(basename "$file" .rs)")
  done
  env -u CHROMEDRIVER -u GECKODRIVER WASM_BINDGEN_TEST_TIMEOUT=120 \
    wasm-pack test --mode no-install --headless "--$1" "--$2" "$3" . --all-features "${tests[@]}"
}

native() {
  step "cargo test" cargo test --all-features
}

# Cargo compiles one after the other, and lets this go on while the native tests run.
wasm() {
  step "set-up" scripts/setup.sh browsers clients
  . scripts/env.sh # the set-up may have brought drivers
  if grep -qs wasm_bindgen_test tests/*.rs; then
    step "boundary tests in Chromium" boundary chrome chromedriver "$CHROMEDRIVER"
    step "boundary tests in Firefox" boundary firefox geckodriver "$GECKODRIVER"
  fi
  step "determinism: native, Node, Chromium, workerd" npm run test:determinism
}

# Nobody builds any more from here on, so all may read what is built.
pages() {
  if has_tests tests/e2e; then step "end to end" npm run test:e2e; fi
  step "isolation levels, in Chromium" npm run test:isolation
  if has_tests tests/packaging; then
    step "packaging" node tests/packaging/pack.mjs
    node scripts/run-tests.mjs tests/packaging
  fi
}

servers() {
  step "clients: their own, gate.fetch in Node and Chromium, the Worker" npm run test:clients
  step "worker, in workerd" npm test -w worker --if-present
  step "pkg, $(node --version)" npm test -w pkg --if-present
  if [ "$("$SYSTEM_NODE" --version)" != "$(node --version)" ]; then
    step "pkg, $("$SYSTEM_NODE" --version)" with_system_node pkg
  fi
  step "www" npm test -w www --if-present
}

step "set-up" scripts/setup.sh wasm
step "build" scripts/build.sh
together native wasm
. scripts/env.sh # the set-up may have brought browsers
together pages servers
step "test passed"
