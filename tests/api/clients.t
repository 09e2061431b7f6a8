#!/usr/bin/env bash
# Whole sessions as IronWorker's clients were seen to speak them (ironworker-api §1-§3): upload, queue,
# wait, log, cancel, delete. The client for Node is run itself: tests/compat.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/fake/runner.sh"
start_server
P=/2/projects/$PROJECT
JSON='Content-Type: application/json'
printf 'echo hello\n' >"$TMP/__runner__.sh"
(cd "$TMP" && zip -q code.zip __runner__.sh)

# uploaded, queued: checks of the last reply; they set CODE, TASK.
uploaded() {
    is "$STATUS $(field .msg)" '200 Upload successful.' "$1 uploads"
    CODE=$(field .id)
}
queued() {
    like "$BODY" '^\{"msg":"Queued up","tasks":\[\{"id":"[0-9a-f]{24}"\}\]\}$' "$1 queues"
    TASK=$(field '.tasks[0].id')
}
# ran CLIENT: what its GET of the log brought.
ran() {
    is "$STATUS $BODY" '200 hello' "$1 reads the log"
    like "$(<"$TMP/headers")" 'Content-Type: text/plain' '… as text'
}
run_it() {
    run_task ok 0 $'hello\n'
    is "$GRANTED" "$TASK" 'a runner runs it'
}
cancelled() { is "$STATUS $BODY" '200 {"msg":"Cancelled"}' "$1 cancels"; }
deleted() { is "$STATUS $BODY" '200 {"msg":"Deleted"}' "$1 deletes"; }

# ---- Ruby: bare question marks, the log by an absolute target, a form as the body of DELETE

ruby=(-A 'iron_worker_ruby_ng-1.6.9 (iron_core_ruby-1.0.12)' -H 'Keep-Alive: 30')
api GET "$P?" "${ruby[@]}"
is "$(field .name)" default 'Ruby asks for the project first'
api POST codes "${ruby[@]}" -F 'data={"name":"rb","runtime":"sh","file_name":"__runner__.sh","max_concurrency":5,"retries":0};type=text/plain' \
    -F "file=@$TMP/code.zip;type=application/zip"
uploaded Ruby
api GET "codes/$CODE?" "${ruby[@]}"
is "$(field .rev)" 1 '… and reads the revision'
api POST tasks "${ruby[@]}" -H "$JSON" -d '{"tasks":[{"code_name":"rb","payload":"{}"}]}'
queued Ruby
run_it
api GET "tasks/$TASK?" "${ruby[@]}"
is "$(field '"\(.status) \(.timeout) \(.msg)"')" 'complete 3600 null' '… waits'
api GET "tasks/$TASK/log" "${ruby[@]}" --request-target "$URL$P/tasks/$TASK/log"
ran Ruby
api POST tasks "${ruby[@]}" -H "$JSON" -d '{"tasks":[{"code_name":"rb","payload":"{}","delay":60}]}'
queued Ruby
api POST "tasks/$TASK/cancel" "${ruby[@]}" -H "$JSON" -d '{}'
cancelled Ruby
api DELETE "codes/$CODE" "${ruby[@]}" -H 'Content-Type: application/x-www-form-urlencoded' -d '{}'
deleted Ruby

# ---- Python: nulls, JSON accepted everywhere, cancel without a body

python=(-A 'iron_worker_python (version: 1.3.8)' -H 'Accept: application/json' -H 'Connection: close')
boundary='----------ThIs_Is_tHe_bouNdaRY_$'
{
    printf -- '--%s\r\nContent-Disposition: form-data; name="data"\r\n\r\n' "$boundary"
    printf '{"name":"py","runtime":"sh","file_name":"__runner__.sh"}\r\n'
    printf -- '--%s\r\nContent-Disposition: form-data; name="file"; filename="/tmp/a/code.zip"\r\n' "$boundary"
    printf 'Content-Type: application/zip\r\n\r\n'
    cat "$TMP/code.zip"
    printf -- '\r\n--%s--\r\n\r\n' "$boundary"
} >"$TMP/python.body"
api POST codes "${python[@]}" -H "Content-Type: multipart/form-data; boundary=$boundary" --data-binary "@$TMP/python.body"
uploaded Python
api POST tasks "${python[@]}" -H "$JSON" \
    -d '{"tasks":[{"name":"py","code_name":"py","payload":"{}","priority":0,"delay":0,"label":null,"cluster":null,"sync":false}]}'
queued Python
run_it
api GET "tasks/$TASK" "${python[@]}"
is "$(field '.status + " \(has("run_every"))"')" 'complete false' '… waits'
api GET "tasks/$TASK/log" "${python[@]}"
ran Python
api POST tasks "${python[@]}" -H "$JSON" -d '{"tasks":[{"name":"py","code_name":"py","payload":"{}","delay":60,"label":null}]}'
queued Python
api POST "tasks/$TASK/cancel" "${python[@]}"
cancelled Python
api DELETE "codes/$CODE" "${python[@]}"
deleted Python

# ---- PHP: the token three times, 100-continue, JSON under other types

php=(-A 'iron_worker_php-2.0.5 (iron_core-1.0.4)' -H 'Connection: Keep-Alive' -H 'Keep-Alive: 300')
api POST codes "${php[@]}" -H 'Expect: 100-continue' \
    -F "data=$(jq -nc --arg t "$TOKEN" '{code_name:"php",name:"php",standalone:true,runtime:"sh",
        file_name:"__runner__.sh",version:null,timestamp:"1",oauth:$t,class_name:"php",options:[],access_key:"php"}')" \
    -F "file=@$TMP/code.zip;type=application/octet-stream;filename=$TMP/code"
uploaded PHP
api POST tasks "${php[@]}" -H "$JSON" \
    -d "{\"oauth\":\"$TOKEN\",\"tasks\":[{\"name\":\"php\",\"code_name\":\"php\",\"payload\":\"[]\"}]}"
queued PHP
run_it
api GET "tasks/$TASK?oauth=$TOKEN" "${php[@]}"
is "$(field .status)" complete '… waits'
api GET "tasks/$TASK/log?oauth=$TOKEN" "${php[@]}"
ran PHP
api POST tasks "${php[@]}" -H 'Content-Type: application/x-www-form-urlencoded' \
    -d "{\"oauth\":\"$TOKEN\",\"tasks\":[{\"code_name\":\"php\",\"payload\":\"[]\",\"delay\":60}]}"
queued 'PHP, after a log,'
api POST "tasks/$TASK/cancel" "${php[@]}" -H 'Content-Type: multipart/form-data' -d "{\"oauth\":\"$TOKEN\"}"
cancelled PHP
api DELETE "codes/$CODE" "${php[@]}" -H 'Content-Type: multipart/form-data' -d "{\"oauth\":\"$TOKEN\"}"
deleted PHP

# ---- Go: chunked uploads, bodies on GET, values that mean unset, an empty chunked body

go=(-A 'iron_go3/worker 2.0 (Go go1.7)' -H 'Accept-Encoding: gzip/deflate')
api POST codes "${go[@]}" -H 'Transfer-Encoding: chunked' \
    -F 'data={"name":"go","runtime":"sh","file_name":"__runner__.sh","stack":"","image":"","command":"","env_vars":null,"default_priority":-1000}' \
    -F "file=@$TMP/code.zip;type=application/zip"
uploaded Go
api POST tasks "${go[@]}" -H "$JSON" \
    -d '{"tasks":[{"code_name":"go","payload":"","priority":-3,"timeout":0,"delay":0,"cluster":"","label":""}]}'
queued Go
run_it
api GET "tasks/$TASK" "${go[@]}" -H "$JSON" -d '{}'
is "$(field '"\(.status) \(.timeout > 3600) \(.priority)"')" 'complete true 0' '… waits'
unlike "$(<"$TMP/headers")" 'Content-Encoding' '… for a reply that is not compressed'
api GET "tasks/$TASK/log" "${go[@]}"
ran Go
api POST tasks "${go[@]}" -H "$JSON" -H 'Transfer-Encoding: chunked' -d '{"tasks":[{"code_name":"go","payload":"","delay":60}]}'
queued 'Go, in chunks,'
api POST "tasks/$TASK/cancel" "${go[@]}" -H 'Transfer-Encoding: chunked' -d ''
cancelled Go
api DELETE "codes/$CODE" "${go[@]}" -H "$JSON" -d '{}'
deleted Go

api GET tasks
is "$(field '.tasks | map(.status) | group_by(.) | map("\(length) \(.[0])") | join(", ")')" '4 cancelled, 4 complete' \
    'four clients: four tasks ran, four were cancelled'
done_testing
