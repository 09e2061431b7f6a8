#!/usr/bin/env bash
# The live log: bytes as they come, several readers, a new attempt, events, readers that go away.
. "$(dirname "$0")/../lib.sh"
start_server
upload_image c busybox ''

runner() { AUTH="OAuth $RUNNER_TOKEN" api POST "/runner/1/$1" -d "$2"; }
lease() {
    runner lease "{\"runner\":\"r\",\"cluster\":\"default\",\"slot\":0,\"poll\":\"$(od -An -N8 -tx8 /dev/urandom | tr -d ' ')\",\"wait_s\":10}"
    ATTEMPT=$(field .grant.attempt)
    runner started "{\"runner\":\"r\",\"task\":\"$TASK\",\"attempt\":$ATTEMPT,\"container\":\"c\"}"
}
OFFSET=0
append() { # TEXT of at most 127 bytes
    { printf '%b' "\\x00\\x$(printf %02x ${#1})\\x00\\x00\\x00" && printf '%s' "$1"; } >"$TMP/segment"
    AUTH="OAuth $RUNNER_TOKEN" api POST "/runner/1/log?runner=r&task=$TASK&attempt=$ATTEMPT&offset=$OFFSET" \
        --data-binary "@$TMP/segment"
    OFFSET=$((OFFSET + ${#1}))
}
finish() { # CLASS LOG
    runner finish "{\"runner\":\"r\",\"task\":\"$TASK\",\"attempt\":$ATTEMPT,\"class\":\"$1\",\"exit_code\":0,\"start_us\":1,\"end_us\":2,\"log_bytes\":${#2},\"stdout_bytes\":${#2},\"log_sha256\":\"$(printf %s "$2" | sha256sum | cut -d' ' -f1)\",\"log_complete\":true}"
}
follow() { # NAME [QUERY [curl argument...]]
    spawn "$1" curl -sSN -D "$TMP/$1.headers" -H "Authorization: OAuth $TOKEN" "${@:3}" \
        "$URL/2/projects/$PROJECT/tasks/$TASK/log?follow=1${2-}"
}
shows() { [ "$(cat "$TMP/$1.out")" = "$2" ]; } # NAME TEXT
followers() { # N: so many requests are suspended
    api GET /metrics && grep -qx "wrought_http_suspended $1" "$TMP/body"
}

queue_task c
follow early
lease
ok 'a follower of a queued task waits' alive "$SPAWNED"
append 'one '
ok 'it gets the first bytes' wait_for 'the first bytes' 5 shows early 'one '
like "$(<"$TMP/early.headers")" 'Content-Type: text/plain' 'as text'
follow late
ok 'one that comes later gets what there is' wait_for 'the first bytes' 5 shows late 'one '
follow from '&offset=2'
ok 'one that says an offset gets the rest' wait_for 'the rest' 5 shows from 'e '
follow events '' -H 'Accept: text/event-stream'
append 'two '
ok 'two more words are seen as they come' wait_for 'two more words' 5 shows early 'one two '
append $'\303'
append $'\244!'
finish ok $'one two \303\244!'
for name in early late; do
    wait_for "$name ends" 5 test ! -d "/proc/$SPAWNED"
    ok "$name has it all" wait_for 'the end' 5 shows "$name" 'one two ä!'
done
ok 'so has the one with an offset' wait_for 'the end' 5 shows from 'e two ä!'
like "$(<"$TMP/events.headers")" 'Content-Type: text/event-stream' 'events have their type'
is "$(sed -n 's/^data: //p' "$TMP/events.out" | jq -rj '.text // empty')" 'one two ä!' '… the text is in them, characters whole'
is "$(tail -n 3 "$TMP/events.out")" $'event: end\ndata: {"status":"complete"}' '… and the last says how the task ended'
id=$(sed -n 's/^id: //p' "$TMP/events.out" | head -n 1)
like "$id" '^1-[0-9]+$' '… an id is an attempt and an offset'
follow again '' -H 'Accept: text/event-stream' -H "Last-Event-ID: 1-8"
wait_for 'the rest' 5 grep -q 'event: end' "$TMP/again.out"
is "$(sed -n 's/^data: //p' "$TMP/again.out" | jq -rj '.text // empty')" 'ä!' '… from which a browser goes on'
follow ended
ok 'following an ended task gives its log' wait_for 'the log' 5 shows ended 'one two ä!'
api GET "tasks/$TASK/log?follow=1&offset=x"
is "$STATUS" 400 'a wrong offset is refused'
api GET "tasks/$TASK/log?follow=1&attempt=2"
is "$STATUS" 404 'an attempt that is not there'

# ---- a task that is run again after a failure of ours

queue_task c
OFFSET=0
lease
append 'first;'
follow both
follow only '&attempt=1'
wait_for 'the first attempt' 5 shows both 'first;'
finish infra 'first;'
OFFSET=0
lease
is "$ATTEMPT" 2 'an infrastructure failure leads to a second attempt'
append 'second;'
ok 'the stream goes on with it' wait_for 'the second attempt' 5 shows both 'first;second;'
ok 'one bound to an attempt has ended' wait_for 'its end' 5 ended "$SPAWNED"
is "$(<"$TMP/only.out")" 'first;' '… with that attempt'

# ---- readers that go away, and a stop

follow gone
wait_for 'the log' 5 shows gone 'second;'
ok 'two follow' wait_for 'the gauge' 5 followers 2
end_process "$SPAWNED" KILL
ok 'a lost reader is found without a word from the task' wait_for 'the gauge' 10 followers 1
follow cut
wait_for 'the log' 5 shows cut 'second;'
ok 'the server stops while readers follow' stop_server
is "$EXIT_CODE" 0 '… with exit code 0'
wait "$SPAWNED"
isnt $? 0 '… and they can tell this from the end of the task'
done_testing
