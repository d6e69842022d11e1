#!/usr/bin/env bash
# A running demo as mosquitto_sub, mosquitto_pub and paho see it.
set -euo pipefail
dir=$(mktemp -d)
ports=27800
"$STEWARD_BIN/steward" demo --headless --seed 5 --days 400 --speed 2000 --dir "$dir/demo" --ports "$ports" >"$dir/out" 2>&1 &
demo=$!
trap 'kill $demo 2>/dev/null; wait $demo 2>/dev/null || true; rm -rf "$dir"' EXIT
for _ in $(seq 50); do [ -s "$dir/demo/credentials/steward" ] && break; sleep 0.2; done
password=$(cat "$dir/demo/credentials/steward")
sub() { mosquitto_sub -p "$ports" -u steward -P "$password" -i interop -W 20 "$@"; }

echo "retained statements reach mosquitto_sub"
[ "$(sub -C 1 -F %t -t 'steward/v1/risk/halt')" = steward/v1/risk/halt ]
[ "$(sub -C 1 -F %l -t 'steward/v1/market/universe')" -gt 100 ]

echo "a wrong password is refused"
! mosquitto_sub -p "$ports" -u steward -P wrong -W 3 -C 1 -t '#' 2>/dev/null

echo "rubbish from mosquitto_pub is refused by name and hurts nobody"
score=$(cat "$dir/demo/credentials/score")
printf 'not even messagepack' |
    mosquitto_pub -p "$ports" -u score -P "$score" -i score-9 -q 1 -t steward/v1/order/approved/x -s
sleep 2
"$STEWARD_BIN/steward" status --dir "$dir/demo" --json >"$dir/status.json" || true
"$PYTHON" - "$dir/status.json" <<'PY'
import json, sys
stages = {one["stage"]: one for one in json.load(open(sys.argv[1]))["stages"]}
assert stages["execute"]["state"] == "healthy", stages["execute"]
assert stages["execute"]["refused"] >= 1, "execute did not count the rubbish"
PY

echo "paho reads, decodes and answers"
"$PYTHON" tests/interop/paho_client.py "$ports" "$password"
