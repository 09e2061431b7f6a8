#!/usr/bin/env bash
# The queue of a code as a whole: pause, resume, cancel all, statistics.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/fake/runner.sh"
start_server
upload_image c busybox ''
CODE=$(field .id)
upload_image other busybox ''
runner register '{"runner":"r1","cluster":"default","version":"1","slots":2,"stacks":["sh"],"engine_version":"1"}'

# code_action ACTION: without a body or a type, as old clients send it.
code_action() { api POST "codes/$CODE/$1"; }
concurrency() { api GET "codes/$CODE" && field 'if has("max_concurrency") then .max_concurrency else 0 end'; }

# ---- pause

queue_task c
before=$TASK
code_action pause_task_queue
is "$STATUS $BODY" '200 {"msg":"Paused"}' 'pause'
code_action pause_task_queue
is "$STATUS $BODY" '200 {"msg":"Already paused"}' '… twice'
is "$(concurrency)" -1 'a paused code shows max_concurrency -1'
lease 0
is "$GRANTED" null 'its tasks wait'
queue_task c
while_paused=$TASK
lease 0
is "$GRANTED" null '… also those that are queued now'
api GET "tasks/$TASK/why"
like "$(field .reason)" 'paused' '… and say why'
queue_task other
lease 1
is "$GRANTED" "$TASK" 'tasks of other codes do not wait'
finish "$GRANTED" "$ATTEMPT" ok 0 0 ''
kill9_server
start_server
is "$(concurrency)" -1 'a restart does not resume it'

upload_image c busybox 'new command'
code_action resume_task_queue
is "$STATUS $BODY" '200 {"msg":"Resumed"}' 'resume'
code_action resume_task_queue
is "$STATUS $BODY" '200 {"msg":"Already resumed"}' '… twice'
isnt "$(concurrency)" -1 'a resumed code shows its limit again'
lease 0
is "$GRANTED $(field .grant.code_rev)" "$before 1" 'tasks go on, with the revision they were queued for'
lease 1
is "$GRANTED" "$while_paused" '… in their order'

later parked lease "{\"runner\":\"r1\",\"cluster\":\"default\",\"slot\":2,\"poll\":\"$(poll_number)\",\"wait_s\":30}"
code_action pause_task_queue
queue_task c
code_action resume_task_queue
wait_for 'the parked poll gets the task' 10 grep -q "$TASK" "$TMP/parked.out"
ok 'resuming wakes a runner that waits' grep -q "$TASK" "$TMP/parked.out"

# ---- cancel all

api POST tasks -d "$(jq -nc '{tasks:[range(1000) | {code_name:"c", priority:(. % 3)}]}')"
first=$(field '.tasks[0].id')
for _ in 1 2 3; do api POST tasks -d "$(jq -nc '{tasks:[range(1000) | {code_name:"c"}]}')"; done
queue_task other
kept=$TASK
code_action cancel_all
is "$STATUS $BODY" '200 {"msg":"Cancelled"}' 'cancel all'
api GET 'tasks?code_name=c&queued=1&running=1&preparing=1'
is "$(field '.tasks | length')" 0 'nothing of the code is left to do'
is "$(task_status "$first")" cancelled 'a queued task is cancelled'
is "$(task_status "$before")" cancelled '… a live one too'
is "$(field .stopping)" true '… whose container is still to be stopped'
runner renew "{\"runner\":\"r1\",\"wait_s\":0,\"held\":[{\"task\":\"$before\",\"attempt\":1,\"known\":\"none\"}]}"
like "$BODY" 'cancel' '… as its runner is told'
is "$(task_status "$kept")" queued 'a task of another code is not touched'
queue_task c
is "$(task_status "$TASK")" queued 'the code takes new tasks'

# ---- statistics

api GET "codes/$CODE/stats"
is "$STATUS $BODY" '200 {"queued":1,"preparing":0,"running":0,"complete":0,"error":0,"cancelled":4003,"timeout":0}' \
    'statistics count by state'
api GET "codes/$CODE/stats?start_date=1000&end_date=2000"
is "$(field '[.[]] | add')" 0 '… within the dates that are asked for'
api GET "codes/$CODE/stats?start_date=yesterday"
is "$STATUS" 400 '… which are epoch seconds'
like "$BODY" start_date '… as the refusal says'

for action in pause_task_queue resume_task_queue cancel_all; do
    api POST "codes/000000000000000000000000/$action"
    is "$STATUS" 404 "$action of a code that is not there"
done
api GET codes/000000000000000000000000/stats
is "$STATUS" 404 'statistics of a code that is not there'
done_testing
