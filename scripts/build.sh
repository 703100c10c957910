#!/usr/bin/env bash
# Everything that ships: both Wasm, then each workspace that has something to build.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

scripts/setup.sh wasm
scripts/build-wasm.sh
for workspace in pkg worker www; do
  npm run build -w "$workspace" --if-present
done
