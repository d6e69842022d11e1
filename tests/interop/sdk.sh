#!/usr/bin/env bash
# Clients that nobody here wrote, against the simulated world: the broker's own Python SDK and yfinance.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:?run this through make interop, which sets PYTHON}
bin=${STEWARD_BIN:-target/ci}
port=28900
log=$(mktemp)
# In stepped mode the market stands still while the clients look at it.
"$bin/steward-simworld" --seed 1 --port "$port" --start 2026-03-02T15:00:00Z --mode stepped >"$log" 2>&1 &
world=$!
trap 'kill $world 2>/dev/null; wait $world 2>/dev/null || true; rm -f "$log"' EXIT
for _ in $(seq 100); do grep -q 'private key' "$log" && break; sleep 0.1; done
"$python" tests/interop/sdk.py "http://127.0.0.1:$port"
