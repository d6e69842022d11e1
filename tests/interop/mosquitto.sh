#!/usr/bin/env bash
# The whole pipeline on mosquitto decides exactly what it decides on the built-in broker.
set -euo pipefail
dir=$(mktemp -d)
port=27850
cat >"$dir/mosquitto.conf" <<CONF
listener $port 127.0.0.1
allow_anonymous true
persistence false
set_tcp_nodelay true
max_queued_messages 0
CONF
mosquitto -c "$dir/mosquitto.conf" >"$dir/mosquitto.log" 2>&1 &
broker=$!
trap 'kill $broker 2>/dev/null; wait $broker 2>/dev/null || true; rm -rf "$dir"' EXIT
run() {
    "$STEWARD_BIN/steward" demo --headless --seed 7 --days 2 --speed max --dir "$dir/$1" --report "$dir/$1.json" \
        --ports "$2" "${@:3}" >"$dir/$1.out" 2>&1 || { tail -30 "$dir/$1.out"; exit 1; }
}
run theirs 27860 --bus "mqtt://127.0.0.1:$port"
run ours 27870
"$PYTHON" - "$dir/theirs.json" "$dir/ours.json" <<'PY'
import json, sys
theirs, ours = (json.load(open(file)) for file in sys.argv[1:])
assert theirs["all_held"] and ours["all_held"], (theirs["invariants"], ours["invariants"])
assert len(theirs["orders"]) > 0, "two days without an order prove nothing"
assert theirs["decisions_hash"] == ours["decisions_hash"], "the brokers led to different decisions"
print(f"{len(theirs['orders'])} orders on either, the same decisions")
PY
