#!/usr/bin/env bash
# The whole path once: upload, queue, run in a container, log, exit code; for an image, a stack's
# script, and a command that fails.
. "$(dirname "$0")/../lib.sh"
start_server
start_runner

upload_image greet wrought-test/busybox 'sh -c "echo hello; echo trouble >&2"'
is "$STATUS" 200 'a code that is an image is taken'
queue_task greet
wait_status "$TASK" complete 60
like "$(task_log "$TASK")" hello 'its log has what it printed'

printf 'import os\nprint("payload", open(os.environ["PAYLOAD_FILE"]).read())\n' >"$TMP/show.py"
upload_script show python-3.11 "$TMP/show.py"
is "$STATUS" 200 'a script with a stack is taken'
queue_task show '{"payload":"seen"}'
wait_status "$TASK" complete 60
like "$(task_log "$TASK")" 'payload seen' 'the script runs in its stack and reads its payload'

upload_image fail wrought-test/busybox 'sh -c "echo broken >&2; exit 3"'
queue_task fail
wait_status "$TASK" error 60
like "$(field .msg)" broken 'a failed task says the last it wrote to stderr'

ok 'the runner ends when told to' stop_runner
ok 'the server ends when told to' stop_server
none_left() { [ -z "$(docker ps -aq)" ]; }
ok 'no container is left' wait_for 'containers are removed' 20 none_left
done_testing
