#!/usr/bin/env bash
# The mathematics of target weights against libraries nobody here wrote (tests/interop/requirements.txt).
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo build --quiet -p allocation --example answer
"${PYTHON:-target/interop/venv/bin/python}" tests/interop/weights.py "${CARGO_TARGET_DIR:-target}/debug/examples/answer" "$@"
