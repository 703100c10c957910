#!/usr/bin/env bash
# Builds the crate with its feature `testing` into target/wasm-testing, for tests alone: never shipped.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

OUT=target/wasm-testing
STAMP=target/wasm-testing.stamp

SOURCES="$(hash_of Cargo.toml Cargo.lock .cargo/config.toml scripts/build-wasm-testing.sh src)"
if [ -s "$OUT/testing_bg.wasm" ] && [ "$(cat "$STAMP" 2>/dev/null)" = "$SOURCES" ]; then
  say "the Wasm for tests is up to date"
  exit 0
fi
say "building the Wasm for tests (1 min the first time)"
wasm-pack --log-level error build --mode no-install --target web --dev --no-pack --no-typescript \
  --out-dir "$OUT" --out-name testing . -- --features testing,kdf
printf '%s\n' "$SOURCES" >"$STAMP"
