#!/usr/bin/env bash
# The stand-in providers, the Worker and the app; one URL; Ctrl-C stops them all.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

scripts/build.sh
exec node scripts/demo.mjs "$@"
