#!/usr/bin/env bash
# Builds what ships and measures it; writes target/bench.json.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

scripts/setup.sh wasm browsers
scripts/build.sh
exec node benches/run.mjs "$@"
