#!/usr/bin/env bash
# What dies in mid-task, and what becomes of the task: runner, server, container; the log stays exact.
. "$(dirname "$0")/../lib.sh"
start_server
start_runner
image=wrought-test/busybox

upload_image lines "$image" "sh -c 'i=0; while [ \$i -lt 500 ]; do echo line \$i; i=\$((i+1)); usleep 10000; done'"
seq -f 'line %g' 0 499 >"$TMP/lines"
upload_image noise "$image" "sh -c 'dd if=/dev/urandom of=noise bs=1M count=100 2>/dev/null; sha256sum <noise >&2; cat noise'"
upload_image nap "$image" 'sleep 8'

container_of() { docker ps -q --filter "label=wrought.task=$1"; }
has_log() { [ "$(stat -c %s "$TMP"/runner/jobs/"$1".*/spool.log 2>/dev/null || echo 0)" -gt 100 ]; }
same_lines() { # NAME: the log of $TASK is the 500 lines
    task_log "$TASK" >"$TMP/got"
    ok "$1" cmp "$TMP/got" "$TMP/lines"
}

# ---- 100 MB of arbitrary bytes; the hash comes first, on stderr
queue_task noise
wait_status "$TASK" complete 180
task_log "$TASK" >"$TMP/noise"
want=$(head -c 64 "$TMP/noise")
is "$(tail -c +69 "$TMP/noise" | sha256sum | cut -d' ' -f1)" "$want" '100 MB arrive as they were written'
rm -f "$TMP/noise"

# ---- the runner is killed and comes back
queue_task lines
ok 'the task writes' wait_for 'output' 30 has_log "$TASK"
before=$(container_of "$TASK")
kill9_runner
is "$(container_of "$TASK")" "$before" 'a killed runner leaves its container running'
start_runner
wait_status "$TASK" complete 60
same_lines 'the log has neither gap nor repeat after the runner came back'

# ---- it ended while the runner was away
queue_task lines
ok 'the task writes again' wait_for 'output' 30 has_log "$TASK"
kill9_runner
sleep_until_ended() { [ "$(docker exec "$(container_of "$TASK")" sh -c 'ps | grep -c "[l]ine "')" = 0 ]; }
ok 'the command ends without a runner' wait_for 'the end of the command' 30 sleep_until_ended
start_runner
wait_status "$TASK" complete 60
same_lines 'and nothing of its log is lost'

# ---- the container is taken away under the runner: again by us, the user sees no failure
queue_task nap
wait_status "$TASK" running 60
docker rm -f "$(container_of "$TASK")" >/dev/null
wait_status "$TASK" complete 60
is "$(field .attempt)" 2 'a container that vanished costs an attempt, no failure'

# ---- the server is killed and comes back
queue_task lines
ok 'the task writes once more' wait_for 'output' 30 has_log "$TASK"
kill9_server
start_server
wait_status "$TASK" complete 60
same_lines 'a killed server loses nothing of a running task'
is "$(field .attempt)" 1 'nor its attempt'

# ---- the runner is killed for good: another one takes the task, which ends once
queue_task nap
wait_status "$TASK" running 60
lost=$(container_of "$TASK")
kill9_runner
docker rm -f "$lost" >/dev/null # its node is gone with it
spawn second "$BIN/wrought-runner" --server "$URL" --token-file "$SERVER_DIR/runner.token" --slots 1 \
    --engine "$DOCKER_HOST" --state-dir "$TMP/second"
wait_status "$TASK" complete 90
is "$(field .attempt)" 2 'another runner ran it'

# ---- and the first one, back after all, has nothing left to do but to clean up
start_runner
none_left() { [ -z "$(docker ps -aq --filter label=wrought.kind=task)" ] && [ -z "$(ls "$TMP/runner/jobs")" ]; }
ok 'no container and no job is left' wait_for 'clean-up' 30 none_left
done_testing
