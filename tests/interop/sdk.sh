#!/usr/bin/env bash
# Clients that nobody here wrote, against the simulated world in each manner of writing: the broker's own Python SDK and yfinance.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:?run this through make interop, which sets PYTHON}
bin=${STEWARD_BIN:-target/ci}
log=$(mktemp)
world=
stop() {
    [ -z "$world" ] || { kill "$world" 2>/dev/null || true; wait "$world" 2>/dev/null || true; }
    world=
}
trap 'stop; rm -f "$log"' EXIT
port=28900
for profile in clean live_like nasty; do
    # In stepped mode the market stands still while the clients look at it.
    "$bin/steward-simworld" --seed 1 --port "$port" --profile "$profile" --start 2026-03-02T15:00:00Z --mode stepped >"$log" 2>&1 &
    world=$!
    for _ in $(seq 100); do grep -q 'private key' "$log" && break; sleep 0.1; done
    echo "-- $profile"
    "$python" tests/interop/sdk.py "http://127.0.0.1:$port" "$profile"
    stop
    port=$((port + 1))
done
