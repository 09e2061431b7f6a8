#!/usr/bin/env bash
# The runner protocol (api/lease.md), spoken by a runner that is this script.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/fake/runner.sh"
start_server
upload_image c busybox ''

runner register '{"runner":"r1","cluster":"default","version":"1","slots":2,"stacks":["sh"],"engine_version":"1"}'
is "$STATUS $BODY" '200 {"lease_s":30,"renew_s":10}' 'register'
runner register '{"runner":"r1","what":1}'
is "$STATUS" 400 'an unknown member is refused'
lease 0
is "$BODY" '{"grant":null}' 'nothing to do'

# ---- a task's way

queue_task c '{"payload":"hello"}'
lease 0 00000000000000aa
is "$GRANTED $ATTEMPT" "$TASK 1" 'the task is granted as attempt 1'
is "$(field '"\(.grant.payload) \(.grant.image) \(.grant.code_name) \(.grant.timeout_s) \(.grant.lease_s)"')" \
    'hello busybox c 3600 30' '… with what a runner needs'
lease 0 00000000000000aa
is "$GRANTED $ATTEMPT" "$TASK 1" 'the same poll again gets the same grant'
is "$(task_status "$TASK")" queued 'a preparing task is shown as queued'
is "$(field .phase)" preparing '… its phase says more'
runner started "{$(report "$TASK" 1),\"container\":\"abc\",\"image\":\"busybox\",\"image_id\":\"sha256:1\"}"
is "$STATUS $BODY" '200 {"msg":"Noted"}' 'started'
is "$(task_status "$TASK")" running '… and the task runs'

{ segment 0 'out 1;' && segment 1 'err 2;'; } >"$TMP/one"
{ segment 1 'err 2;' && segment 0 'out 3;'; } >"$TMP/two"
append "$TASK" 1 0 "$TMP/one"
is "$STATUS $BODY" '200 {"offset":12}' 'two runs are appended'
append "$TASK" 1 0 "$TMP/one"
is "$STATUS $BODY" '200 {"offset":12}' '… again, which is harmless'
append "$TASK" 1 6 "$TMP/two"
is "$STATUS $BODY" '200 {"offset":18}' '… with half a repeat'
append "$TASK" 1 20 "$TMP/two"
is "$STATUS $(field .offset)" '409 18' 'a gap is refused, and where to go on said'
printf '\0\377\377\377\377x' >"$TMP/broken"
append "$TASK" 1 18 "$TMP/broken"
is "$STATUS" 400 'broken segments are refused'
append "$TASK" 1 0 "$TMP/one"
is "$(field .offset)" 18 '… and change nothing'
api GET "tasks/$TASK/log"
is "$STATUS $BODY" '404 {"msg":"Log not found"}' 'no log before the end'

LOG='out 1;err 2;out 3;'
finish "$TASK" 1 ok 0 100 "$LOG"
is "$STATUS $(field .offset)" '409 18' 'an end with more log than is there is refused'
is "$(task_status "$TASK")" running '… the task goes on'
finish "$TASK" 1 ok 0 18 "$LOG"
is "$STATUS $BODY" '200 {"msg":"Noted"}' 'finish'
api GET "tasks/$TASK"
is "$(field '"\(.status) \(.exit_code) \(.log_size)"')" 'complete 0 18' '… the task is complete'
finish "$TASK" 1 ok 0 18 "$LOG"
is "$STATUS" 200 '… the same end again is fine'
finish "$TASK" 1 task 1 18 "$LOG"
is "$STATUS $(field .order)" '409 lost' '… another one is not'
append "$TASK" 1 18 "$TMP/two"
is "$STATUS $(field .order)" '409 lost' '… and its log takes no more'
api GET "tasks/$TASK/log"
is "$STATUS $BODY" "200 $LOG" 'the log, both streams in their order'
like "$(<"$TMP/headers")" 'Content-Type: text/plain' '… as text'
api GET "tasks/$TASK/outlog"
is "$STATUS $BODY" '200 out 1;out 3;' 'its stdout alone'

# ---- fencing

queue_task c
lease 0
runner started "{$(WHO=r2 report "$GRANTED" 1)}"
is "$STATUS $(field .order)" '409 lost' 'a report of another runner'
runner started "{$(report "$GRANTED" 2)}"
is "$STATUS $(field .order)" '409 lost' 'a report about another attempt'
runner started "{$(report 000000000000000000000000 1)}"
is "$STATUS $(field .order)" '409 lost' 'a report about no task'
lease 0 "$(poll_number)"
is "$GRANTED $ATTEMPT" "$TASK 2" 'another poll of the slot gives the task back: attempt 2'
runner started "{$(report "$TASK" 1)}"
is "$STATUS $(field .order)" '409 lost' '… and fences attempt 1 out'
finish "$TASK" 2 task 3 0 ''
api GET "tasks/$TASK"
is "$(field '"\(.status) \(.exit_code)"')" 'error 3' 'an end with an exit code'
api GET "tasks/$TASK/log"
is "$STATUS $BODY" '200 ' 'the log of a task that printed nothing'

queue_task c
run_task task 3 $'worker.rb:7: boom\n'
api GET "tasks/$TASK"
is "$(field .msg)" $'worker.rb:7: boom' 'a failed task says the last it wrote to stderr'
queue_task c
run_task task 3
api GET "tasks/$TASK"
is "$(field .msg)" 'exit code 3' '… or its exit code when it wrote nothing'

# ---- orders

queue_task c
lease 0
held="{\"runner\":\"r1\",\"wait_s\":WAIT,\"held\":[{\"task\":\"$TASK\",\"attempt\":1}]}"
runner renew "${held/WAIT/0}"
is "$STATUS $BODY" '200 {"orders":[]}' 'a renewal without orders'
later renewed renew "${held/WAIT/30}"
later leased lease "{\"runner\":\"r1\",\"cluster\":\"default\",\"slot\":1,\"poll\":\"$(poll_number)\",\"wait_s\":30}"
later idle lease "{\"runner\":\"r1\",\"cluster\":\"default\",\"slot\":2,\"poll\":\"$(poll_number)\",\"wait_s\":1}"
cancelled=$TASK
api POST "tasks/$cancelled/cancel"
ok 'a parked renewal is answered' wait_for 'the order' 5 test -s "$TMP/renewed.out"
is "$(jq -r '.orders[0] | "\(.task) \(.attempt) \(.order)"' "$TMP/renewed.out")" "$cancelled 1 cancel" '… with the order'
api GET "tasks/$cancelled"
is "$(field '"\(.status) \(.stopping)"')" 'cancelled true' 'the task is cancelled, its container yet to go'
runner renew "{\"runner\":\"r1\",\"wait_s\":0,\"held\":[{\"task\":\"$cancelled\",\"attempt\":1}]}"
is "$(field '.orders[0].order')" cancel 'the order is repeated'
runner renew "{\"runner\":\"r1\",\"wait_s\":0,\"held\":[{\"task\":\"$cancelled\",\"attempt\":1,\"known\":\"cancel\"}]}"
is "$BODY" '{"orders":[]}' '… until the runner knows it'
runner renew "{\"runner\":\"r1\",\"wait_s\":0,\"held\":[{\"task\":\"$cancelled\",\"attempt\":7}]}"
is "$(field '.orders[0].order')" lost 'an attempt that is not the runner'\''s is lost'
segment 0 'before the end' >"$TMP/last"
append "$cancelled" 1 0 "$TMP/last"
is "$STATUS" 200 'what it still prints is taken'
finish "$cancelled" 1 cancelled -1 14 'before the end'
is "$STATUS" 200 'the end is confirmed'
api GET "tasks/$cancelled"
is "$(field '"\(.status) \(.stopping)"')" 'cancelled null' '… and the task no longer stopping'
api GET "tasks/$cancelled/log"
is "$STATUS $BODY" '200 before the end' 'the log of a cancelled task is what it had printed'

ok 'a parked poll ends when its time is over' wait_for 'the empty answer' 5 test -s "$TMP/idle.out"
is "$(<"$TMP/idle.out")" '{"grant":null}' '… without a grant'
is "$(cat "$TMP/leased.out")" '' 'another one still waits'
queue_task c
ok 'a parked poll is answered when a task comes' wait_for 'the grant' 5 test -s "$TMP/leased.out"
is "$(jq -r .grant.task "$TMP/leased.out")" "$TASK" '… with it'

# ---- packages

printf 'x' >"$TMP/x.sh"
upload_script z '' "$TMP/x.sh"
queue_task z
lease 0
sha=$(field .grant.package_sha256)
AUTH="OAuth $RUNNER_TOKEN" api GET "/runner/1/package/$sha"
is "$STATUS $(sha256sum <"$TMP/body" | cut -d' ' -f1)" "200 $sha" 'a runner gets a package by its hash'
AUTH="OAuth $RUNNER_TOKEN" api GET "/runner/1/package/${sha//[0-9]/0}"
is "$STATUS" 404 '… none that there is not'
AUTH="OAuth $RUNNER_TOKEN" api GET /runner/1/package/..%2f..%2firon.json
is "$STATUS" 400 '… and nothing but packages'

# ---- a stop with polls parked

later parked lease "{\"runner\":\"r1\",\"cluster\":\"default\",\"slot\":5,\"poll\":\"$(poll_number)\",\"wait_s\":60}"
answered=$SPAWNED
parked() { # N: so many polls are parked
    api GET /metrics && grep -qx "wrought_http_suspended $1" "$TMP/body"
}
ok 'a poll is parked' wait_for 'the gauge' 5 parked 1
later gone lease "{\"runner\":\"r1\",\"cluster\":\"default\",\"slot\":6,\"poll\":\"$(poll_number)\",\"wait_s\":60}"
ok '… and another' wait_for 'the gauge' 5 parked 2
end_process "$SPAWNED" KILL
ok 'the server stops while a poll is parked' stop_server
is "$EXIT_CODE" 0 '… with exit code 0'
ok '… the poll ends' wait_for 'the poll' 5 ended "$answered"
is "$(<"$TMP/parked.out")" '{"grant":null}' '… and the poll had its answer'
done_testing
