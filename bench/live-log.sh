#!/usr/bin/env bash
# live-log.sh [LINES]: how long after a task printed a line `wrought log -f` shows it, beside the peer
# `docker run` on the same engine, in turns in the same run. Milliseconds, and the ratio of the medians.
# Needs DOCKER_HOST (or the default socket), wrought/python-3.11 (make stack-python-3.11), and build/.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."
lines=${1:-40} bin=$(realpath "${BUILD:-build}") work=$(mktemp -d)
server='' runner=''
end() { # PID
    [ -z "$1" ] || ! kill "$1" 2>/dev/null || wait "$1" || true
}
quit() {
    end "$runner"
    end "$server"
    rm -rf "$work"
}
trap quit EXIT

cat >"$work/tick.py" <<TICK
import time
for i in range($lines):
    print(repr(time.time()), flush=True)
    time.sleep(0.1)
TICK
"$bin/wrought-server" --listen 127.0.0.1:0 --data-dir "$work/data" >"$work/out" 2>"$work/server.log" &
server=$!
deadline=$((SECONDS + 20))
until url=$(sed -n 's/^listening on //p' "$work/out") && [ -n "$url" ]; do
    ((SECONDS < deadline)) || { tail "$work/server.log" >&2 && exit 1; }
done
"$bin/wrought-runner" --server "$url" --token-file "$work/data/runner.token" --slots 1 \
    --engine "${DOCKER_HOST:-unix:///var/run/docker.sock}" --state-dir "$work/runner" >/dev/null 2>"$work/runner.log" &
runner=$!

# Reads lines that are times, prints how many milliseconds ago each was.
late() { while read -r at; do printf '%s %s\n' "$EPOCHREALTIME" "$at"; done | awk '{ print ($1 - $2) * 1000 }'; }
wrought() { (cd "$work/data" && "$bin/wrought" "$@"); }
wrought upload "$work/tick.py" --name tick --stack python-3.11 2>/dev/null >&2
for _ in 1 2; do
    wrought queue tick --wait 2>/dev/null | late >>"$work/wrought"
    docker run --rm -i wrought/python-3.11 python3 - <"$work/tick.py" | late >>"$work/docker"
done
for who in wrought docker; do
    sort -n "$work/$who" | awk -v who="$who" '{ v[NR] = $1 }
        END { printf "%-8s lines %d  p50 %.1f ms  p99 %.1f ms  max %.1f ms\n", who, NR, v[int((NR + 1) / 2)],
              v[int(NR * 0.99 + 0.5)], v[NR] }' | tee "$work/$who.row"
done
awk '{ print $5 }' "$work/wrought.row" "$work/docker.row" | paste -sd' ' | awk '{ printf "ratio of the medians %.1f\n", $1 / $2 }'
