#!/usr/bin/env bash
# The rules that IronWorker's clients force on a server (ironworker-api §0), R1 to R14, held against
# every kind of object and answer there is.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/fake/runner.sh"
start_server
upload_image c busybox ''
CODE=$(field .id)
runner register '{"runner":"r1","cluster":"default","version":"1","slots":2,"stacks":["sh"],"engine_version":"1"}'
queue_task c
QUEUED=$TASK
queue_task c '{"label":"first to end","priority":2}'
run_task task 3 'Traceback: boom'
FAILED=$GRANTED
queue_task c '{"priority":2}'
run_task ok 0 'hello'
DONE=$GRANTED
P=/2/projects/$PROJECT

# ---- R1, R5, R6, R7, R8, R9: objects

each_object() { # JQ-FILTER NAME: holds for the code, its revision, the project and tasks in every state
    local filter=$1 name=$2 path bad=''
    for path in "$P" "$P/codes/$CODE" "$P/codes/$CODE/revisions" "$P/tasks/$QUEUED" "$P/tasks/$FAILED" "$P/tasks/$DONE"; do
        api GET "$path"
        jq -e "$filter" "$TMP/body" >/dev/null || bad+="$path: $BODY"
    done
    is "$bad" '' "$name"
}
each_object '[.. | objects | to_entries[] | select(.key | test("^(id|.*_id)$")) | .value] |
    length > 0 and all(test("^[0-9a-f]{24}$"))' 'R1: every id has 24 lower-case hex digits'
each_object '[.. | objects | to_entries[] | select(.key | test("_at$|_time$|^latest_change$")) | .value] |
    length > 0 and all(test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{3})?Z$"))' \
    'R5: times are RFC 3339 in UTC with no or three digits of fraction'
for task in "$QUEUED" "$FAILED" "$DONE"; do
    api GET "tasks/$task"
    ok 'R6: the times that clients parse are all there' jq -e \
        '[.created_at, .updated_at, .start_time, .end_time] | all(type == "string")' "$TMP/body"
    is "$(field '"\(.code_rev | type) \(.timeout | type) \(.timeout | . == floor)"')" 'string number true' \
        'R7, R8: code_rev is a string, timeout an integer'
    is "$(field '[keys[] | select(test("^(start_at|end_at|next_start|last_run_time|run_count|run_every)$"))] | length')" 0 \
        'R9: nothing of a schedule'
done
api GET "tasks/$QUEUED"
is "$(field '"\(.start_time) \(.end_time)"')" '0001-01-01T00:00:00Z 0001-01-01T00:00:00Z' 'R6: what is not yet known is the year 1'
api GET "codes/$CODE"
is "$(field '"\(.rev | type) \(.latest_change | type)"')" 'number string' 'R6, R7: a code has an integer rev, and latest_change'

# ---- R2, R3: answers

answers() { # STATUS TYPE METHOD PATH [curl argument...]: status and type, whatever it is
    local want="$1 $2"
    shift 2
    api "$@"
    is "$STATUS $(sed -n 's/\r$//;s/^Content-Type: \([^;]*\).*/\1/p' "$TMP/headers")" "$want" "R2, R3: $1 ${2#"$P"}: $want"
}
JSON=application/json
answers 200 $JSON GET "$P"
answers 200 $JSON GET /2/projects
answers 200 $JSON GET /2/stacks
answers 200 $JSON GET codes
answers 200 $JSON POST codes -d '{"name":"d","image":"busybox"}'
answers 200 $JSON POST tasks -d '{"tasks":[{"code_name":"c"}]}'
answers 200 $JSON POST 'tasks/webhook?code_name=c' -d x
answers 200 $JSON POST "tasks/$QUEUED/progress" -d '{"percent":1}'
answers 200 $JSON POST "tasks/$QUEUED/retry"
answers 200 $JSON POST "codes/$CODE/pause_task_queue"
answers 200 $JSON POST "codes/$CODE/resume_task_queue"
answers 200 text/plain GET "tasks/$DONE/log"
answers 200 text/plain GET "tasks/$DONE/outlog"
answers 404 $JSON GET "tasks/$QUEUED/log"
answers 404 $JSON GET nothing
answers 405 $JSON PATCH tasks
answers 406 $JSON POST tasks -d '{}'
answers 400 $JSON POST tasks -d '{'
AUTH='' answers 401 $JSON GET tasks

# ---- R4: lists

for path in codes tasks "codes/$CODE/revisions" credentials /2/projects; do
    api GET "$path"
    is "$(field 'keys | length')" 1 "R4: ${path##*/} is an object of one key"
    is "$(field '.[] | type')" array '… which holds the list'
done

# ---- R10 to R14

api GET "tasks/$DONE"
is "$(field '"\(.status) \(has("msg"))"')" 'complete false' 'R10: no msg on success'
api GET "tasks/$FAILED"
is "$(field '"\(.status) \(.msg | length > 0)"')" 'error true' 'R10: a failed task has one'
for encoding in gzip gzip/deflate 'gzip, deflate, br'; do
    api GET codes -H "Accept-Encoding: $encoding"
    unlike "$(<"$TMP/headers")" 'Content-Encoding' "R11: nothing is compressed for Accept-Encoding: $encoding"
done

says() { # MSG METHOD PATH [curl argument...]
    local msg=$1
    shift
    api "$@"
    is "$(field .msg)" "$msg" "R12: $1 ${2%%\?*} says \"$msg\""
    like "$BODY" '^\{"msg":"[^"]*"[,}]' 'R13: … compact, msg first'
}
says 'Upload successful.' POST codes -d '{"name":"d","image":"busybox"}'
gone=$(field .id)
says 'Deleted' DELETE "codes/$gone"
says 'Paused' POST "codes/$CODE/pause_task_queue"
says 'Already paused' POST "codes/$CODE/pause_task_queue"
says 'Resumed' POST "codes/$CODE/resume_task_queue"
says 'Already resumed' POST "codes/$CODE/resume_task_queue"
says 'Queued up' POST tasks -d '{"tasks":[{"code_name":"c"}]}'
like "$BODY" 'Queued up.*"id":"(.{24})"' 'R13: … as a test of the client greps for'
says 'Queued up.' POST 'tasks/webhook?code_name=c' -d x
says 'Progress set' POST "tasks/$QUEUED/progress" -d '{"percent":1}'
says 'Queued up' POST "tasks/$QUEUED/retry"
says 'Cancelled' POST "tasks/$QUEUED/cancel"
says 'Cancelled' POST "codes/$CODE/cancel_all"

for i in 1 2 3 4 5; do
    queue_task c
    lease 0
    segment 1 "line $i" >"$TMP/segment"
    append "$GRANTED" "$ATTEMPT" 0 "$TMP/segment"
    later "end$i" finish "$(ending "$GRANTED" "$ATTEMPT" ok 0 6 "line $i")"
    ok "R14: try $i: the status turns" wait_for complete 10 status_is "$GRANTED" complete
    is "$(task_log "$GRANTED")" "line $i" '… and the full log is there at once'
done
done_testing
