#!/usr/bin/env bash
# The running programs are confined, and say so.
. "$(dirname "$0")/../lib.sh"
start_server
filters() { sed -n 's/^Seccomp_filters:[^0-9]*//p' "/proc/$1/task/"*/status | sort -un | head -n 1; }
api GET /metrics
like "$BODY" 'wrought_confined 1' 'the server says in its metrics that it is confined'
isnt "$(filters "$SERVER_PID")" 0 'every thread of it has a filter'

spawn runner "$BIN/wrought-runner" --server "$URL" --token-file "$SERVER_DIR/runner.token" \
    --engine "unix://$TMP/none.sock" --state-dir "$TMP/runner" --listen 127.0.0.1:0
ready() { grep -q '^ready ' "$TMP/runner.out"; }
wait_for 'the runner is ready' 20 ready
health=$(sed -n 's/^listening on \(http:[^ ]*\)$/\1/p' "$TMP/runner.out")
like "$(curl -sS "$health/metrics")" 'wrought_runner_confined 1' 'so does the runner'
isnt "$(filters "$SPAWNED")" 0 'every thread of it has a filter, too'
ok 'a confined runner ends well' end_process "$SPAWNED"
ok 'and so does a confined server' stop_server
is "$EXIT_CODE" 0 'with exit code 0'
done_testing
