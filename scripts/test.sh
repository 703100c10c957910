#!/usr/bin/env bash
# Every test, each printed by its own runner: native, in browsers, in Node, in workerd, end to end, packaged.
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

step "set-up" scripts/setup.sh wasm browsers clients
step "build" scripts/build.sh
. scripts/env.sh # the set-up may have brought drivers

step "cargo test" cargo test --all-features
if grep -qs wasm_bindgen_test tests/*.rs; then
  step "boundary tests in Chromium" boundary chrome chromedriver "$CHROMEDRIVER"
  step "boundary tests in Firefox" boundary firefox geckodriver "$GECKODRIVER"
fi
step "pkg, $(node --version)" npm test -w pkg --if-present
if [ "$("$SYSTEM_NODE" --version)" != "$(node --version)" ]; then
  step "pkg, $("$SYSTEM_NODE" --version)" with_system_node pkg
fi
step "worker, in workerd" npm test -w worker --if-present
step "www" npm test -w www --if-present
step "determinism: native, Node, Chromium, workerd" npm run test:determinism
step "isolation levels, in Chromium" npm run test:isolation
if has_tests tests/e2e; then step "end to end" npm run test:e2e; fi
step "clients: their own, gate.fetch in Node and Chromium, the Worker" npm run test:clients
if has_tests tests/packaging; then step "packaging" npm run test:packaging; fi
step "test passed"
