#!/usr/bin/env bash
# Schedules from outside: queue, list, change, cancel, what is ours, and every bad request. That they
# fire at the right times is tests/unit/test_schedules.c's, which brings its own clock.
. "$(dirname "$0")/../lib.sh"
start_server --max-payload 1000
upload_image c busybox ''

schedule() { # JSON: of one schedule; sets ID
    api POST schedules -d "{\"schedules\":[$1]}"
    ID=$(field '.schedules[0].id // empty')
    [ -n "$ID" ] || diag "scheduling $1: $STATUS $BODY"
}
get() {
    api GET "schedules/$ID"
    field "$1"
}
fired() { [ "$(get .run_count)" = "$1" ]; }
zero=0001-01-01T00:00:00Z
later=$(date -u -d '+1 day' +%FT%TZ)

# ---- as IronWorker has them

api POST schedules -d '{"schedules":[{"code_name":"c","payload":"{}"}]}'
like "$BODY" '^\{"msg":"Scheduled","schedules":\[\{"id":"[0-9a-f]{24}"\}\]\}$' 'the answer, to the letter'
ID=$(field '.schedules[0].id')
wait_for 'the least request runs at once' 10 fired 1
is "$(get '"\(.status) \(.msg) \(.next_start)"')" "complete Ran max times. $zero" 'the least request runs once, at once'
api GET tasks
is "$(field '.tasks | map("\(.code_name) \(.payload) \(.schedule_id)") | join(",")')" "c  $ID" 'its task names the schedule'
api GET "tasks/$(field '.tasks[0].id')"
is "$(field '[has("start_at","end_at","next_start","last_run_time","run_count","run_every")] | any')" \
    false 'R9: nothing that makes Python take the task for a schedule'

schedule "{\"code_name\":\"c\",\"payload\":\"p\",\"start_at\":\"$later\",\"run_every\":3600,\"run_times\":3,
    \"task_delay\":5,\"priority\":2,\"timeout\":300,\"cluster\":\"k\",\"label\":\"l\",\"name\":\"c\",\"max_concurrency\":1}"
is "$(get '"\(.id) \(.project_id) \(.code_name) \(.payload) \(.status)"')" "$ID $PROJECT c p scheduled" 'a schedule as it was made'
is "$(field '"\(.start_at) \(.next_start) \(.end_at) \(.last_run_time)"')" "$later $later $zero $zero" 'R5, R6: its times'
is "$(field '"\(.run_every) \(.run_times) \(.run_count) \(.error_count) \(.delay) \(.task_delay)"')" '3600 3 0 0 0 5' '… its numbers'
is "$(field '"\(.priority) \(.timeout) \(.cluster) \(.label)"')" '2 300 k l' '… what its tasks will have'
is "$(field '"\(.created_at) \(.updated_at)" | test("^20[0-9-]*T[0-9:]{8}(\\.[0-9]{3})?Z 20")')" true '… when it was made'
for start in "$(date -u -d "$later" +%FT%T+00:00)" "$(TZ=Asia/Tokyo date -d "$later" +%FT%T+09:00)" "${later%Z}.000000Z"; do
    schedule "{\"code_name\":\"c\",\"start_at\":\"$start\"}"
    is "$(get .start_at)" "$later" "start_at as $start"
done
schedule '{"code_name":"c","delay":600,"run_times":0,"label":null,"cluster":"","end_at":""}'
is "$(get '"\(.status) \(.run_count) \(.delay) \(.cluster)"')" 'scheduled 0 600 default' 'delay, nulls and empty texts'

api GET schedules
is "$(field 'keys | join(" ")')" schedules 'R4: a list has one key'
is "$(field '.schedules | length')" 6 '… of all, ended ones included'
is "$(field '.schedules[0].id')" "$ID" '… newest first'
api GET 'schedules?per_page=2&page=1'
is "$(field '.schedules | length')" 2 'a page of it'
api GET 'schedules?label=l'
is "$(field '.schedules | length')" 1 'by label'
for id in $(api GET schedules && field '.schedules[].id'); do
    api POST "schedules/$id/cancel"
    is "$STATUS $BODY" '200 {"msg":"Cancelled"}' 'cancel, whatever its status'
done
is "$(get '"\(.status) \(.next_start)"')" "cancelled $zero" 'cancelled is seen at once'
api POST "schedules/$ID/cancel" -H 'Content-Type: multipart/form-data' -d "{\"schedule_id\":\"$ID\"}"
is "$STATUS $BODY" '200 {"msg":"Cancelled"}' 'W6: cancel with a body of any type, and again'

# ---- changes

schedule "{\"code_name\":\"c\",\"payload\":\"old\",\"start_at\":\"$later\",\"run_every\":60}"
api PUT "schedules/$ID" -d '{"label":"nightly"}'
is "$STATUS $BODY" '200 {"msg":"Updated"}' 'a label is added later'
is "$(get '"\(.label) \(.payload) \(.start_at) \(.next_start) \(.run_every)"')" "nightly old $later $later 60" '… and nothing else changes'
api PUT "schedules/$ID" -d '{"label":"","payload":"new","priority":1,"run_every":7200}'
is "$(get '"\(.id) \(.label) \(.payload) \(.priority) \(.run_every)"')" "$ID  new 1 7200" 'PUT keeps the id'
api PUT "schedules/$ID" -d '{"cron":"30 4 * * mon","zone":"Europe/Berlin"}'
is "$(get '"\(.cron) \(.zone) \(.run_every)"')" '30 4 * * mon Europe/Berlin 0' 'an expression takes the place of the interval'
is "$(date -u -d "$(field .next_start)" +%a%M)" Mon30 '… and is followed'
api PUT "schedules/$ID" -d '{"run_every":60}'
is "$(get '"\(.cron) \(.run_every)"')" 'null 60' '… and the other way round'
api PUT "schedules/$ID" -d '{"run_every":5}'
is "$STATUS" 400 'a bad change is refused'
is "$(get .run_every)" 60 '… and nothing of it kept'
api PUT "schedules/$ID" -d '{"code_name":"nobody"}'
is "$STATUS" 404 '… so is another code that is not there'
api POST "schedules/$ID/cancel"
api PUT "schedules/$ID" -d '{"label":"x"}'
is "$STATUS $(get .label)" '200 x' 'the label of an ended one may change'
api PUT "schedules/$ID" -d '{"run_every":60}'
is "$STATUS" 409 '… its times may not'
like "$BODY" 'cancelled' '… because it is cancelled'

# ---- ours: pause, resume, trigger, firings

schedule '{"code_name":"c","cron":"@hourly","zone":"Asia/Kathmandu","overlap":"skip","catch_up":"all","catch_up_max":5,"jitter":30}'
is "$(get '"\(.cron) \(.zone) \(.overlap) \(.catch_up) \(.catch_up_max) \(.jitter) \(.paused)"')" \
    '@hourly Asia/Kathmandu skip all 5 30 false' 'what is ours comes back'
next=$(field .next_start)
api POST "schedules/$ID/pause"
is "$STATUS $BODY" '200 {"msg":"Paused"}' 'pause'
is "$(get '"\(.status) \(.paused) \(.next_start)"')" "scheduled true $zero" '… nothing is due'
api POST "schedules/$ID/pause"
is "$BODY" '{"msg":"Already paused"}' '… once more'
api POST "schedules/$ID/resume"
is "$BODY $(get .next_start)" "{\"msg\":\"Resumed\"} $next" 'resume'
api POST "schedules/$ID/resume"
is "$BODY" '{"msg":"Already resumed"}' '… once more'
api POST "schedules/$ID/trigger"
is "$STATUS $(field '"\(.msg) \(.firing.outcome)"')" '200 Triggered fired' 'trigger'
TASK=$(field .firing.task_id)
api GET "tasks/$TASK"
is "$(field '"\(.status) \(.schedule_id)"')" "queued $ID" '… queues a task'
api POST "schedules/$ID/trigger"
is "$(field '"\(.firing.outcome) \(.firing.note)"')" "skipped task $TASK has not ended" '… by the overlap policy'
is "$(get '"\(.run_count) \(.next_start)"')" "1 $next" '… and leaves the next firing alone'
api GET "schedules/$ID/firings"
is "$(field '.firings | map(.outcome) | join(" ")')" 'skipped fired' 'a row for each firing, the latest first'
is "$(field '.firings[1].task_id')" "$TASK" '… with its task'
api POST "schedules/$ID/cancel"
api POST "schedules/$ID/trigger"
is "$STATUS" 409 'trigger of one that has ended'

# ---- refusals: STATUS REGEX NAME JSON-OF-ONE

api GET 'schedules?per_page=100'
before=$(field '.schedules | length')
refused() {
    api POST schedules -d "{\"schedules\":[$4]}"
    is "$STATUS" "$1" "$3"
    like "$BODY" "^\{\"msg\":\".*$2" '… and says so'
}
refused 404 nothing 'an unknown code' '{"code_name":"nothing"}'
refused 406 code_name 'no code_name' '{"payload":"{}"}'
refused 400 'run_every is 59; it may be 60' 'an interval below the limit' '{"code_name":"c","run_every":59}'
refused 400 'run_every is 0' 'an interval of zero' '{"code_name":"c","run_every":0}'
refused 400 'end_at is before start_at' 'end before start' \
    "{\"code_name\":\"c\",\"start_at\":\"$later\",\"end_at\":\"2020-01-01T00:00:00Z\"}"
refused 400 'never run' 'an end that has passed' '{"code_name":"c","run_every":60,"end_at":"2020-01-01T00:00:00Z"}'
refused 400 'start_at' 'a start that is no time' '{"code_name":"c","start_at":"tomorrow"}'
refused 400 'start_at' '30 February' '{"code_name":"c","start_at":"2030-02-30T00:00:00Z"}'
refused 400 'cron: .*minute' 'a line with 61 minutes' '{"code_name":"c","cron":"61 * * * *"}'
refused 400 'cron: .*never' '30 February as a line' '{"code_name":"c","cron":"0 0 30 2 *"}'
refused 400 'zone: .*Atlantis' 'an unknown zone' '{"code_name":"c","cron":"@daily","zone":"Europe/Atlantis"}'
refused 400 'zone' 'a zone that is a path' '{"code_name":"c","cron":"@daily","zone":"../../etc/passwd"}'
refused 400 'run_every and cron' 'both an interval and a line' '{"code_name":"c","cron":"@daily","run_every":60}'
refused 400 'overlap is .*allow, skip, queue-one, replace' 'an unknown overlap policy' '{"code_name":"c","overlap":"maybe"}'
refused 400 'catch_up is .*none, latest, all' 'an unknown catch-up policy' '{"code_name":"c","catch_up":"some"}'
refused 400 'catch_up_max' 'too many to catch up' '{"code_name":"c","catch_up_max":1001}'
refused 400 'jitter' 'a jitter over the interval' '{"code_name":"c","run_every":60,"jitter":61}'
refused 400 'run_times' 'a negative number of runs' '{"code_name":"c","run_times":-1}'
refused 400 'payload' 'a payload of a wrong type' '{"code_name":"c","payload":{}}'
refused 413 '1000' 'a payload over the limit' "{\"code_name\":\"c\",\"payload\":\"$(printf 'x%.0s' {1..1001})\"}"
refused 400 'schedules\[1\]' 'the second of two is wrong' '{"code_name":"c","run_every":600},{"code_name":"c","run_every":1}'
refused 404 'schedules\[1\]' 'the second of two has no code' '{"code_name":"c","run_every":600},{"code_name":"d"}'
refused 406 'empty' 'none at all' ''
for path in schedules/x "schedules/$PROJECT" schedules/000000000000000000000000/firings; do
    api GET "$path"
    is "$STATUS" 404 "GET of ${path#schedules/}, which is no schedule"
done
api POST schedules/000000000000000000000000/cancel
is "$STATUS" 404 'cancel of a schedule that is not there'
api GET 'schedules?per_page=100'
is "$(field '.schedules | length')" "$before" 'none of these stored anything'

# ---- settings, and a restart

stop_server
start_server --min-interval 1
schedule '{"code_name":"c","run_every":1,"run_times":2}'
wait_for 'an interval of a second runs' 10 fired 2
is "$(get '"\(.status) \(.msg)"')" 'complete Ran max times.' 'an interval of a second runs twice'
schedule '{"code_name":"c","delay":2}'
kill9_server
start_server
wait_for 'it fires after a crash' 10 fired 1
api GET "schedules/$ID/firings"
is "$(field '.firings | map(.outcome) | join(" ")')" fired 'a schedule survives kill -9 of the server'
done_testing
