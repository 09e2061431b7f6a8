#!/usr/bin/env bash
# An engine that silently drops a limit: what ran without it is no result, and nothing more runs there.
. "$(dirname "$0")/../lib.sh"
start_server
spawn proxy python3 "$ROOT/tests/probe/strip-limits.py" "$TMP/engine.sock" "${DOCKER_HOST#unix://}" PidsLimit
proxy_ready() { grep -q ready "$TMP/proxy.out"; }
wait_for 'the proxy listens' 10 proxy_ready
start_runner --engine "unix://$TMP/engine.sock" --listen 127.0.0.1:0
health_url() { sed -n 's/^listening on \(http:[^ ]*\)$/\1/p' "$TMP/runner.out"; }
health() { curl -sS "$(health_url)/health" 2>>"$TMP/curl.log"; }

upload_image innocent wrought-test/busybox true
queue_task innocent
noticed() { [[ $(health) == *'pids limit is '*'instead of 256'* ]]; }
ok 'the runner says which limit did not apply' wait_for 'its first task' 60 noticed
is "$(health | jq -r .state)" problem 'and takes no more tasks'
isnt "$(task_status "$TASK")" complete 'the task that exited with 0 is not complete'
isnt "$(task_status "$TASK")" error 'nor failed: it will run again'
like "$(<"$TMP/runner.log")" 'class=infra .*limit not applied: pids limit' 'the attempt is infra'
ok 'the runner ends' stop_runner

start_runner # straight to the engine
wait_status "$TASK" complete 120
done_testing
