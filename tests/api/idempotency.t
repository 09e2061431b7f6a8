#!/usr/bin/env bash
# Idempotency-Key: a request that queues is carried out once, whatever happens to its answer.
. "$(dirname "$0")/../lib.sh"
start_server
upload_image c busybox ''

queue() { api POST tasks -H "Idempotency-Key: $1" -d "$2"; } # KEY JSON
tasks() { api GET 'tasks?per_page=100' && field '.tasks | length'; }
THREE='{"tasks":[{"code_name":"c"},{"code_name":"c"},{"code_name":"c"}]}'

queue first "$THREE"
answer=$BODY
is "$STATUS $(field '.tasks | length')" '200 3' 'a request with a key'
unlike "$(<"$TMP/headers")" 'Idempotent-Replayed' '… is carried out'
queue first "$THREE"
is "$STATUS $BODY" "200 $answer" 'the same again gets the same answer'
like "$(<"$TMP/headers")" 'Idempotent-Replayed: true' '… which says so'
is "$(tasks)" 3 '… and queues nothing'
queue first '{"tasks":[{"code_name":"c"}]}'
is "$STATUS" 409 'something else under the key is refused'
like "$BODY" 'Idempotency-Key' '… and told why'
queue second "$THREE"
isnt "$BODY" "$answer" 'another key is another request'

kill9_server
start_server
queue first "$THREE"
is "$STATUS $BODY" "200 $answer" 'a crash forgets no key'
api DELETE "codes/$(api GET codes && field '.codes[0].id')"
queue first "$THREE"
is "$STATUS $BODY" "200 $answer" 'nor does the deletion of the code'
upload_image c busybox ''

queue third '{"tasks":[{"code_name":"nobody"}]}'
is "$STATUS" 404 'a request that is refused'
queue third "$THREE"
is "$STATUS" 200 '… leaves the key free'

hook() { api POST "tasks/webhook?code_name=c&$1" -H 'Idempotency-Key: hook' --data-binary "$2"; }
hook 'priority=1' body
answer=$BODY
hook "priority=1&oauth=$TOKEN" body
is "$STATUS $BODY" "200 $answer" 'a webhook too; its token does not count'
hook 'priority=2' body
is "$STATUS" 409 '… its query does'
hook 'priority=1' other
is "$STATUS" 409 '… and its body'

before=$(tasks)
for i in {1..20}; do
    spawn "racer$i" curl -sS -H "Authorization: OAuth $TOKEN" -H 'Idempotency-Key: race' -d "$THREE" \
        "$URL/2/projects/$PROJECT/tasks"
done
racers() { # N: so many have their answer
    [ "$(cat "$TMP"/racer*.out | grep -o '"tasks"' | wc -l)" = "$1" ]
}
ok 'twenty at once with one key all get an answer' wait_for 'the answers' 20 racers 20
is "$(cat "$TMP"/racer*.out | grep -o '{"msg":"[^}]*}[^}]*}[^}]*}\]}' | sort -u | wc -l)" 1 '… the same'
is "$(tasks)" $((before + 3)) '… for one bulk of tasks'

for key in '' "$(printf 'x%.0s' {1..256})" 'ä'; do
    api POST tasks -H "Idempotency-Key;" -H "Idempotency-Key: $key" -d "$THREE"
    is "$STATUS" 400 "the key \"${key:0:8}\" is refused"
done
queue "$(printf 'x%.0s' {1..255})" "$THREE"
is "$STATUS" 200 'one of 255 bytes is taken'
done_testing
