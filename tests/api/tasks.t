#!/usr/bin/env bash
# Tasks without a runner: queue, list, get, cancel, why; and every bad request.
. "$(dirname "$0")/../lib.sh"
start_server --max-payload 1000 --max-delay 1h --max-timeout 2h
upload_image c busybox ''
upload_image d busybox ''

# ---- queue

api POST tasks -d '{"tasks":[{"code_name":"c","payload":"p","timeout":300,"delay":5,"priority":2,"label":"l"}]}'
like "$BODY" '^\{"msg":"Queued up","tasks":\[\{"id":"[0-9a-f]{24}"\}\]\}$' 'the answer to a queue request, to the letter'
TASK=$(field '.tasks[0].id')
api GET "tasks/$TASK"
is "$(field '"\(.id) \(.project_id) \(.code_name) \(.status) \(.payload) \(.timeout) \(.delay) \(.priority) \(.label) \(.cluster)"')" \
    "$TASK $PROJECT c queued p 300 5 2 l default" 'a task as it was queued'
is "$(field '.code_rev | type')" string 'R7: code_rev is a string'
is "$(field '"\(.start_time) \(.end_time)"')" '0001-01-01T00:00:00Z 0001-01-01T00:00:00Z' 'R6: times not yet known'
like "$(field .created_at)" '^20[0-9-]*T[0-9:]{8}(\.[0-9]{3})?Z$' 'R5: a time'
is "$(field 'has("msg")')" false 'R10: no msg'
is "$(field '[has("start_at","end_at","next_start","last_run_time","run_count","run_every")] | any')" \
    false 'R9: nothing that makes Python take it for a schedule'
queue_task c
api GET "tasks/$TASK"
is "$(field '"\(.timeout) \(.delay) \(.priority) \(.payload)"')" '3600 0 0 ' 'defaults'
queue_task c '{"timeout":0}'
api GET "tasks/$TASK"
is "$(field .timeout)" 7200 'timeout 0 is the longest'
api POST tasks -d "$(jq -nc '{tasks:[range(100)|{code_name:"d",payload:"\(.)"}]}')"
is "$(field '.tasks | map(.id) | unique | length')" 100 'a hundred at once'
last=$(field '.tasks[99].id')
api GET "tasks/$last"
is "$(field .payload)" 99 '… in their order'
queue_task c '{"payload":"\u00e4\ud83d\ude00\"\\\n"}'
api GET "tasks/$TASK"
is "$(field .payload)" $'ä😀"\\' 'a payload comes back as it was'

# ---- list

api GET tasks
is "$(field 'keys | join(" ")')" tasks 'R4: a list has one key'
is "$(field '.tasks | length')" 30 '… of thirty'
is "$(field '.tasks[0].id')" "$TASK" '… newest first'
api GET 'tasks?per_page=1000'
is "$(field '.tasks | length')" 100 'a page has a hundred at most'
api GET 'tasks?per_page=100&page=1'
is "$(field '.tasks | length')" 4 '… and the next the rest'
api GET 'tasks?code_name=c&per_page=100'
is "$(field '.tasks | map(.code_name) | unique | join(" ")')" c 'by code'
api GET 'tasks?label=l'
is "$(field '.tasks | length')" 1 'by label'
api GET 'tasks?cluster=other'
is "$(field '.tasks | length')" 0 'by cluster'
now=$(date +%s)
api GET "tasks?from_time=$((now - 3600))&to_time=$((now + 3600))"
is "$(field '.tasks | length')" 30 'by time'
api GET "tasks?to_time=$((now - 3600))"
is "$(field '.tasks | length')" 0 '… none that old'
api GET 'tasks?running=1&error=1'
is "$(field '.tasks | length')" 0 'by status'
for bad in page=x per_page=-1 from_time=yesterday; do
    api GET "tasks?$bad"
    is "$STATUS" 400 "a list with $bad"
    like "$BODY" "\"msg\":\".*${bad%%=*}" '… which is named'
done

# ---- cancel, why

api POST "tasks/$TASK/cancel"
is "$STATUS $BODY" '200 {"msg":"Cancelled"}' 'cancel'
api GET "tasks/$TASK"
is "$(field .status)" cancelled '… is seen at once'
api POST "tasks/$TASK/cancel" -d '{}'
is "$STATUS $BODY" '200 {"msg":"Cancelled"}' '… and may be said again'
api GET 'tasks?cancelled=1'
is "$(field '.tasks[0].id')" "$TASK" 'a cancelled task is found by its flag'
api GET 'tasks?killed=1'
is "$(field '.tasks | length')" 1 '… and by the old word'
api GET "tasks/$TASK/log"
is "$STATUS $BODY" '404 {"msg":"Log not found: the task never ran"}' 'the log of a task that never ran'
api GET "tasks/$TASK/log?follow=1"
is "$STATUS" 404 '… followed'
api GET "tasks/$last/log"
is "$STATUS $BODY" '404 {"msg":"Log not found"}' 'the log of a task that has not ended'
api GET "tasks/$last/outlog"
like "$STATUS $BODY" '404 .*[Ll]og' '… its outlog'
api GET "tasks/$last/why"
is "$STATUS" 200 'why it does not run'
like "$(field .reason)" 'runner' '… there is no runner'

# ---- refusals: STATUS REGEX NAME BODY

refused() {
    api POST tasks -d "$4"
    is "$STATUS" "$1" "$3"
    like "$BODY" "^\{\"msg\":\".*$2" '… and says so'
}
refused 404 'nothing' 'an unknown code' '{"tasks":[{"code_name":"nothing"}]}'
refused 400 '' 'broken JSON' '{"tasks":['
refused 400 'object' 'no object' '[1]'
refused 406 'tasks' 'no tasks' '{}'
refused 406 'tasks' 'empty tasks' '{"tasks":[]}'
refused 400 'tasks' 'tasks of a wrong type' '{"tasks":"c"}'
refused 400 '' 'a task of a wrong type' '{"tasks":["c"]}'
refused 406 'code_name' 'no code_name' '{"tasks":[{}]}'
refused 400 'code_name' 'a code_name of a wrong type' '{"tasks":[{"code_name":1}]}'
refused 400 'payload' 'a payload of a wrong type' '{"tasks":[{"code_name":"c","payload":{}}]}'
refused 400 'timeout' 'a timeout of a wrong type' '{"tasks":[{"code_name":"c","timeout":"soon"}]}'
refused 400 '7200' 'a timeout over the limit' '{"tasks":[{"code_name":"c","timeout":7201}]}'
refused 400 '3600' 'a delay over the limit' '{"tasks":[{"code_name":"c","delay":3601}]}'
refused 413 '1000' 'a payload over the limit' \
    "{\"tasks\":[{\"code_name\":\"c\",\"payload\":\"$(printf 'x%.0s' {1..1001})\"}]}"
refused 400 'tasks\[1\]' 'the second of two is wrong' '{"tasks":[{"code_name":"c"},{"code_name":"c","delay":-1}]}'
refused 400 '' 'JSON that is too deep' "{\"tasks\":$(printf '[%.0s' {1..50})$(printf ']%.0s' {1..50})}"
refused 400 '' 'a body that is not UTF-8' $'{"tasks":[{"code_name":"c","payload":"\xff"}]}'
refused 413 '1000' 'too many tasks' "$(jq -nc '{tasks:[range(1001)|{code_name:"c"}]}')"
api POST tasks -H 'Content-Type: application/json'
is "$STATUS" 400 'no body'
for path in "tasks/000000000000000000000000" tasks/x "tasks/$PROJECT" "tasks/000000000000000000000000/log" tasks/x/why; do
    api GET "$path"
    is "$STATUS" 404 "GET of ${path#tasks/}, which is no task"
done
api POST tasks/000000000000000000000000/cancel
is "$STATUS" 404 'cancel of a task that is not there'
api GET 'tasks?per_page=100&page=1'
is "$(field '.tasks | length')" 4 'none of these queued anything'
done_testing
