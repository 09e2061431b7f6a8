#!/usr/bin/env bash
# The verbs for schedules against a real server.
. "$(dirname "$0")/../lib.sh"
start_server
wrought() { timeout 60 "$BIN/wrought" "$@"; }
mkdir bin && ln -s "$BIN/wrought" bin/iron_worker && ln -s "$BIN/wrought" bin/iron
export PATH="$TMP/bin:$PATH"
printf 'echo\n' >import_worker.sh
wrought upload import_worker.sh >/dev/null

# ---- as it was announced

ok 'the schedule of the announcement' iron_worker schedule import_worker --label "Critical Task" \
    --start-at "2015-01-01T00:00:00-00:00" --run-every 3600
like "$OUT" "------> Scheduling task
        Code package 'import_worker' scheduled with id='([0-9a-f]{24})'" '… says what it said'
id=${BASH_REMATCH[1]}
is "$(wrought info schedule "$id" --json | jq -r '[.code_name,.label,.run_every,.start_at,.status]|@csv')" \
    '"import_worker","Critical Task",3600,"2015-01-01T00:00:00Z","scheduled"' '… and is that'
ok 'info shows it' wrought info schedule "$id"
like "$OUT" "------> Getting schedule info
        id               $id
        code package     import_worker
        status           scheduled
        label            Critical Task" '… in rows'
like "$(wrought schedules --label 'Critical Task')" "$id +import_worker +scheduled +1h +20[-0-9T:.]+Z +0 +Critical Task" \
    'schedules lists it'
is "$(wrought schedules --code nobody --json)" '{"schedules":[]}' '… unless a filter leaves it out'

# ---- update

ok 'it is changed by JSON' iron_worker update schedule "$id" -s '{"label":"Less critical"}'
like "$OUT" "------> Updating scheduled task with id=$id
        Scheduled task updated successfully" '… and says what it said'
ok '… and by flags' wrought update schedule "$id" --cron '0 9 * * mon-fri' --zone Europe/Berlin --overlap skip
is "$(wrought info schedule "$id" --json | jq -r '[.label,.run_every,.cron,.zone,.overlap]|@csv')" \
    '"Less critical",0,"0 9 * * mon-fri","Europe/Berlin","skip"' '… of which each stays what it was until told'
exits 'an impossible expression' 65 wrought update schedule "$id" --cron '61 * * * *'
like "$OUT" 'minute' '… is refused with its field'

# ---- what else there is to say to one

is "$(wrought schedules pause "$id")" "        Schedule with id='$id': Paused" 'it is paused'
like "$(wrought schedules)" "$id +import_worker +paused" '… and listed so'
is "$(wrought schedules resume "$id")" "        Schedule with id='$id': Resumed" 'it is resumed'
ok 'it is triggered' wrought schedules trigger "$id"
like "$(wrought schedules firings "$id")" 'DUE +FIRED +OUTCOME +TASK.*fired +[0-9a-f]{24}' '… and has fired'
is "$(wrought tasks --json | jq -r '.tasks[0].schedule_id')" "$id" '… a task'
ok 'it is cancelled' wrought schedules cancel "$id"
is "$(wrought info schedule "$id" --json | jq -r .status)" cancelled '… and over'

# ---- the Go client's spelling, and mistakes

ok 'iron worker schedule' iron worker schedule -run-every 60 -run-times 2 import_worker
like "$OUT" "----->  Scheduling task 'import_worker'
        Scheduled task with id='([0-9a-f]{24})'" '… says what it said'
is "$(wrought info schedule "${BASH_REMATCH[1]}" --json | jq -r '[.payload,.run_times]|@csv')" '"{}",2' \
    '… with the payload that it always has'
exits 'an interval under a minute' 65 wrought schedule import_worker --run-every 59
like "$OUT" '60' '… names the limit'
exits 'an unknown code' 66 wrought schedule nobody
exits 'an unknown schedule' 66 wrought info schedule 000000000000000000000000
exits 'a time that is none' 64 wrought schedule import_worker --start-at tomorrow
like "$OUT" '\-\-start-at' '… is found before anything is sent'
done_testing
