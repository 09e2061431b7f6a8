#!/usr/bin/env bash
# How tasks end on a real engine: exit codes, signals, timeout, cancel, memory, what cannot run at all.
. "$(dirname "$0")/../lib.sh"
start_server
start_runner --grace 2s
image=wrought-test/busybox

# run_in_shell NAME SCRIPT [JSON]: a code that is a shell script in the test image, queued once.
run_in_shell() {
    upload_image "$1" "$image" "sh -c '$2'"
    queue_task "$1" "${3:-{\}}"
}

run_in_shell both 'echo out; echo err >&2; exit 0'
wait_status "$TASK" complete 60
task_log "$TASK" | sort >"$TMP/log"
is "$(<"$TMP/log")" $'err\nout' 'both streams are in the log, and nothing else'

run_in_shell code 'exit 7'
wait_status "$TASK" error 60
is "$(field .exit_code)" 7 'the exit code is kept'

run_in_shell signal 'kill -SEGV $$'
wait_status "$TASK" error 60

upload_image nothing "$image" 'no-such-command --flag'
queue_task nothing
wait_status "$TASK" error 60
like "$(field .msg)" 'command not found: no-such-command' 'a missing command is named'

run_in_shell memory 'x=a; while :; do x=$x$x; done'
wait_status "$TASK" error 60
like "$(field .msg)" 'out of memory: limit 512 MB' 'out of memory is called that'

run_in_shell spared '(x=a; while :; do x=$x$x; done) 2>/dev/null; exit 0'
wait_status "$TASK" complete 60

# A timeout leaves nothing behind, not even children that ignore SIGTERM.
run_in_shell stubborn 'trap "" TERM; (trap "" TERM; while :; do usleep 500000; done) & while :; do usleep 500000; done' \
    '{"timeout":2}'
wait_status "$TASK" timeout 60
gone() { [ -z "$(docker ps -q --filter "label=wrought.task=$1")" ]; }
ok 'its container does not run when the task is timeout' gone "$TASK"

run_in_shell long 'echo begun; tail -f /dev/null'
wait_status "$TASK" running 60
api POST "tasks/$TASK/cancel"
is "$STATUS" 200 'a running task is cancelled'
wait_status "$TASK" cancelled 5
ok 'and its container ends' wait_for 'the container is gone' 20 gone "$TASK"

upload_image bad 'Not A Reference!' true
if [ "$STATUS" = 200 ]; then
    queue_task bad
    wait_status "$TASK" error 60
else
    is "$STATUS" 400 'an image name that is none is refused'
fi

none_left() { [ -z "$(docker ps -aq --filter "label=wrought.kind=task")" ]; }
ok 'no container is left' wait_for 'containers are removed' 20 none_left
is "$(find "$TMP/runner/jobs" -mindepth 1)" '' 'no job is left in the state directory'
done_testing
