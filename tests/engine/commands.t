#!/usr/bin/env bash
# The command line, environment and files of the package kinds, exactly (api of IronWorker, section 6).
. "$(dirname "$0")/../lib.sh"
start_server
start_runner

cat >"$TMP/show.sh" <<'SCRIPT'
for arg; do echo "arg=$arg"; done
env | grep -E '^(TASK_ID|TASK_DIR|PAYLOAD_FILE|CONFIG_FILE|HOME|MINE)=' | sort
pwd
cat "$PAYLOAD_FILE"
[ -z "${CONFIG_FILE:-}" ] || cat "$CONFIG_FILE"
SCRIPT

# upload_package NAME DATA-JSON: show.sh as a package with these data.
upload_package() {
    rm -f "$TMP/p.zip"
    zip -qj "$TMP/p.zip" "$TMP/show.sh"
    api POST codes -F "file=@$TMP/p.zip;type=application/zip" -F "data=$(jq -c --arg n "$1" '.name=$n' <<<"$2")"
    [ "$STATUS" = 200 ] || diag "upload of $1: $STATUS $BODY"
}
args() { # what ARGS is for $TASK
    printf 'arg=%s\n' -d /task/ -e production -id "$TASK" -payload /task/task_payload.json "$@"
}
common() { printf 'HOME=/task\nPAYLOAD_FILE=/task/task_payload.json\nTASK_DIR=/task/\nTASK_ID=%s' "$TASK"; }

upload_package kind-a '{"runtime":"sh","file_name":"show.sh","stack":"sh"}'
queue_task kind-a '{"payload":"pay load"}'
wait_status "$TASK" complete 60
is "$(task_log "$TASK")" "$(args)"$'\n'"$(common)"$'\n/task\npay load' 'a runtime and a file'

upload_package config '{"runtime":"sh","file_name":"show.sh","stack":"sh","config":"{\"k\":1}","env_vars":{"MINE":"a=b c"}}'
queue_task config '{"payload":"p"}'
wait_status "$TASK" complete 60
is "$(task_log "$TASK")" "$(args -config /task/task_config.json)
CONFIG_FILE=/task/task_config.json
HOME=/task
MINE=a=b c
PAYLOAD_FILE=/task/task_payload.json
TASK_DIR=/task/
TASK_ID=$TASK
/task
p{\"k\":1}" 'with a config and variables of its own'

upload_package kind-b "{\"stack\":\"sh\",\"command\":\"sh show.sh 'one word' two\"}"
queue_task kind-b
wait_status "$TASK" complete 60
is "$(task_log "$TASK")" $'arg=one word\narg=two\n'"$(args)"$'\n'"$(common)"$'\n/task' 'a stack and a command'

upload_package kind-c '{"image":"wrought-test/busybox","command":"sh show.sh"}'
queue_task kind-c
wait_status "$TASK" complete 60
is "$(task_log "$TASK")" "$(args)"$'\n'"$(common)"$'\n/task' 'an image and a package'

upload_image kind-d wrought-test/busybox "sh -c 'echo \"\$# arguments\"; env | grep -c TASK_ID; cat \$PAYLOAD_FILE' x"
queue_task kind-d '{"payload":"seen"}'
wait_status "$TASK" complete 60
is "$(task_log "$TASK")" $'0 arguments\n1\nseen' 'an image alone gets no arguments'

volumes=$(docker volume ls -q --filter label=wrought.kind=code | sort)
queue_task kind-a
wait_status "$TASK" complete 60
is "$(docker volume ls -q --filter label=wrought.kind=code | sort)" "$volumes" 'a package is unpacked once'
done_testing
