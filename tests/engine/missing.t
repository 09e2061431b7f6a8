#!/usr/bin/env bash
# What is not there: an engine, an image. Tasks wait, and whoever asks is told why.
. "$(dirname "$0")/../lib.sh"
start_server --infra-retries 1

# ---- no engine

why() { api GET "tasks/$TASK/why" && field .reason >"$TMP/why"; }
says() { why && grep -q "$1" "$TMP/why"; }

start_runner --engine "unix://$TMP/none.sock" --state-dir "$TMP/blind"
blind=$RUNNER_PID
upload_image hello wrought-test/busybox 'echo hello'
queue_task hello
ok 'why says that the engine does not answer' wait_for 'the reason' 30 says 'engine not answering'
like "$(<"$TMP/why")" 'none.sock' '… and which one'
is "$(task_status "$TASK")" queued 'the task waits'
start_runner
wait_status "$TASK" complete 60
ok 'the blind runner ends when told to' end_process "$blind"

# ---- no such image: with a registry in reach it says so, without one nobody can know

upload_image ghost wrought-test/there-is-none:1 true
exits 'a task of an image that does not exist ends as an infrastructure error or a request error' \
    125 "$BIN/wrought" queue ghost --wait
ghost=$(sed -nE "s/.*queued with id='([0-9a-f]{24})'.*/\1/p" <<<"$OUT")
api GET "tasks/$ghost"
is "$(field .status)" error 'its status is error'
like "$(field .msg)" 'wrought-test/there-is-none:1' 'its message names the image'
none_left() { [ -z "$(docker ps -aq --filter label=wrought.task)" ]; }
ok 'no container is left' wait_for 'containers are removed' 20 none_left
done_testing
