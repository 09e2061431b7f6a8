#!/usr/bin/env bash
# Every stack as a task: its worker runs under the limits and the filters that tasks get.
. "$(dirname "$0")/../lib.sh"
start_server
start_runner

for dir in "$ROOT"/stacks/*/; do
    stack=$(basename "$dir")
    for worker in "$dir"hello/*; do
        upload_script "hello-${worker##*/}" "$stack" "$worker"
        queue_task "hello-${worker##*/}"
        wait_status "$TASK" complete 120
        log=$(task_log "$TASK")
        like "$log" "hello from $stack: .*uid 10001" "$stack runs ${worker##*/} as the user of tasks"
    done
done
done_testing
