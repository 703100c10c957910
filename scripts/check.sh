#!/usr/bin/env bash
# Everything that can be said without running the code: format, lints, types, docs.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

types() {
  local workspace
  for workspace in pkg worker www; do
    if [ -f "$workspace/tsconfig.json" ]; then
      say "tsc in $workspace"
      tsc --noEmit -p "$workspace"
    fi
  done
}

WASM="--target wasm32-unknown-unknown --lib"

compiler() {
  step "cargo fmt" cargo fmt --check
  step "clippy, native" cargo clippy --all-targets --all-features -- -D warnings
  # A crate of its own, which nothing else compiles.
  step "clippy, fuzz targets" cargo clippy --manifest-path fuzz/Cargo.toml --target-dir target -- -D warnings
  # shellcheck disable=SC2086 # the options are meant to split
  step "clippy, Wasm: the gateway" cargo clippy $WASM -- -D warnings
  # shellcheck disable=SC2086
  step "clippy, Wasm: kdf" cargo clippy $WASM --no-default-features --features kdf -- -D warnings
  step "cargo doc" env RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --all-features
}

# The Wasm is built by a profile of its own, so cargo lets the two go on at once.
package() {
  step "set-up" scripts/setup.sh wasm
  step "prettier" prettier --check --log-level warn .
  step "eslint" eslint --max-warnings 0 .
  # The types of the generated Wasm are part of the workspaces' types.
  step "build the Wasm" scripts/build-wasm.sh
  step "build the package" npm run --silent build -w pkg
  step "types" types
}

step "set-up" scripts/setup.sh rust components
together compiler package
step "check passed"
