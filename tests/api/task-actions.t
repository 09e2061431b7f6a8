#!/usr/bin/env bash
# What is done to one task: progress, retry; and tasks that come as webhooks.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/fake/runner.sh"
start_server --max-payload 2000 --max-delay 100 --max-timeout 2h
upload_image c busybox ''
CODE=$(field .id)
runner register '{"runner":"r1","cluster":"default","version":"1","slots":2,"stacks":["sh"],"engine_version":"1"}'

shown() { api GET "tasks/$1" && field '"\(.percent) \(.msg // "-")"'; }
progress() { api POST "tasks/$1/progress" -d "$2"; } # ID JSON

refused() { # STATUS REGEX NAME
    is "$STATUS" "$1" "$3"
    like "$BODY" "^\{\"msg\":\".*$2" '… and says so'
}

# ---- progress

queue_task c
progress "$TASK" '{"percent":25,"msg":"all frames"}'
is "$STATUS $BODY" '200 {"msg":"Progress set"}' 'progress of a queued task'
is "$(shown "$TASK")" '25 all frames' '… is seen at once'
progress "$TASK" '{"percent":50,"oauth":"x","what":null}'
is "$(shown "$TASK")" '50 all frames' '… what is left out stays'
progress "$TASK" "$(jq -nc '{msg:"{\"id\":\"ä😀\\\"\"}\n"}')"
run_task ok 0 'out'
api GET "tasks/$TASK"
is "$(field .status)" complete 'the task completes'
is "$(field '.msg | tojson')" "$(jq -nc '"{\"id\":\"ä😀\\\"\"}\n" | tojson' | jq -r .)" '… and its message is there to the letter'
queue_task c
run_task ok
api GET "tasks/$TASK"
is "$(field '"\(.status) \(has("msg"))"')" 'complete false' 'R10: no message when nobody set one'
queue_task c
progress "$TASK" '{"msg":"the worker knows why"}'
run_task task 1
is "$(shown "$TASK")" '0 the worker knows why' 'the message of a failed task is the one that its worker set'
progress "$TASK" '{"percent":100}'
is "$STATUS $(shown "$TASK")" '200 100 the worker knows why' 'progress is taken after the end too'
progress "$TASK" '{"percent":101}'
refused 400 'percent.*100' 'more than all'
progress "$TASK" '{"percent":-1}'
refused 400 'percent' 'less than nothing'
progress "$TASK" '{"percent":"much"}'
refused 400 'percent' 'no number'
progress "$TASK" '{"msg":7}'
refused 400 'msg' 'no text'
progress "$TASK" "$(jq -nc '{msg:("x" * 65537)}')"
refused 413 '65536' 'a message over its limit'
progress "$TASK" "$(jq -nc '{msg:("ä" * 32768)}')"
is "$STATUS" 200 'one of just that size'
progress "$TASK" 'percent=1'
refused 400 '' 'no JSON'
progress 000000000000000000000000 '{"percent":1}'
refused 404 '' 'a task that is not there'

# ---- retry

queue_task c '{"payload":"again","label":"l","priority":2,"timeout":7,"delay":0}'
first=$TASK
api POST "tasks/$first/retry" -d '{"delay":2.9}'
like "$STATUS $BODY" '^200 \{"msg":"Queued up","tasks":\[\{"id":"[0-9a-f]{24}"\}\]\}$' 'a queued task is retried'
second=$(field '.tasks[0].id')
api GET "tasks/$second"
is "$(field '"\(.original_task_id) \(.payload) \(.label) \(.priority) \(.timeout) \(.delay) \(.status)"')" \
    "$first again l 2 7 2 queued" '… as a new task like it'
api GET "tasks/$first"
is "$(field '"\(.status) \(has("retry_task_id"))"')" 'queued false' '… and stays as it was'
upload_image c busybox 'newer'
api POST "tasks/$second/retry"
is "$STATUS" 200 'a retry needs no body'
api GET "tasks/$(field '.tasks[0].id')"
is "$(field '"\(.original_task_id) \(.code_rev)"')" "$first 2" '… leads to the first of the chain, and runs the newest revision'
api POST "tasks/$first/retry" -d '{"delay":101}'
refused 400 'delay.*100' 'a delay over the limit'
api POST "tasks/$first/retry" -d 'x'
refused 400 '' 'a body that is no JSON'
api POST tasks/000000000000000000000000/retry
refused 404 '' 'a task that is not there'
api DELETE "codes/$CODE"
api POST "tasks/$first/retry"
refused 404 'deleted' 'a task whose code was deleted'

# ---- webhook

upload_image hook busybox ''
hook() { # QUERY [curl argument...]: with the token in the query alone
    AUTH='' api POST "tasks/webhook?oauth=$TOKEN&$1" "${@:2}"
}
hook 'code_name=hook&priority=1&timeout=9&label=a+b%26c' -H 'Content-Type: application/xml' --data-binary '<x>{"a":1}</x>'
like "$STATUS $BODY" '^200 \{"msg":"Queued up\.","id":"[0-9a-f]{24}"\}$' 'R12: a webhook queues, with the dot'
api GET "tasks/$(field .id)"
is "$(field '"\(.payload) \(.priority) \(.timeout) \(.delay) \(.label) \(.cluster)"')" \
    '<x>{"a":1}</x> 1 9 0 a b&c default' '… the body is the payload, the query says the rest'
lease 0
finish "$GRANTED" "$ATTEMPT" ok 0 0 ''

all=$TMP/all-bytes
for i in {0..255}; do printf '%b' "\\x$(printf %02x "$i")"; done >"$all"
hook 'code_name=hook' -H 'Content-Type: application/octet-stream' --data-binary "@$all"
id=$(field .id)
api GET "tasks/$id"
ok 'bytes that are no text come out as valid JSON' jq -e '.payload | startswith("\uFFFD") and endswith("\uFFFD")' "$TMP/body"
lease 0
is "$GRANTED" "$id" 'the runner gets the task'
ok '… with the payload byte for byte' cmp "$all" <(jq -r .grant.payload.base64 "$TMP/body" | base64 -d)
hook 'code_name=hook'
is "$STATUS" 200 'a body of nothing is a payload of nothing'
hook 'code_name=hook' -H 'Transfer-Encoding: chunked' --data-binary @<(head -c 2000 /dev/zero | tr '\0' x)
is "$STATUS" 200 'a chunked body of just the limit'
hook 'code_name=hook' --data-binary @<(head -c 2001 /dev/zero | tr '\0' x)
refused 413 '2000' 'a body over the limit'
hook 'priority=1' -d x
refused 406 'code_name' 'no code_name'
hook 'code_name=nobody' -d x
refused 404 'nobody' 'a code that is not there'
hook 'code_name=hook&timeout=7201' -d x
refused 400 'timeout.*7200' 'a timeout over the limit'
hook 'code_name=hook&delay=soon' -d x
refused 400 'delay' 'a delay that is no number'
AUTH='' api POST 'tasks/webhook?code_name=hook' -d x
refused 401 '' 'no token'
done_testing
