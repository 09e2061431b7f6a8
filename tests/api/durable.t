#!/usr/bin/env bash
# Accepted means on disk: kill -9 while tasks are queued and logs are written, and a full disk.
. "$(dirname "$0")/../lib.sh"
start_server
upload_image c busybox ''

# queue_many N: N queue requests one after the other on eight connections, until the server is gone;
# the answers are in $TMP/answers.
queue_many() {
    local body='{"tasks":[{"code_name":"c","payload":"x"}]}'
    seq "$1" | xargs -P 8 -n 25 sh -c '
        url=$1 auth=$2 body=$3
        shift 3
        set -- $(for _ in "$@"; do echo "$url"; done)
        exec curl -sS --max-time 30 -H "Authorization: OAuth $auth" -H "Content-Type: application/json" \
            -d "$body" -w "\n" "$@"
    ' sh "$URL/2/projects/$PROJECT/tasks" "$TOKEN" "$body" >>"$TMP/answers" 2>>"$TMP/curl.log"
}
ids() { grep -o '"id":"[0-9a-f]\{24\}"' "$TMP/answers" | cut -c7-30; }
answered() { [ "$(ids | wc -l)" -ge "$1" ]; }
missing() { # of all that were answered
    ids | sed "s|.*|url = $URL/2/projects/$PROJECT/tasks/&|" |
        curl -sS -K - -H "Authorization: OAuth $TOKEN" -w '\n' | grep -cv '"status":"queued"'
}

: >"$TMP/answers"
queue_many 2000 &
queueing=$!
wait_for 'some answers' 30 answered 200
kill9_server
wait "$queueing"
known=$(ids | wc -l)
ok "the server died in the middle ($known of 2000 answered)" test "$known" -lt 2000
start_server
is "$(missing)" 0 'every task that was answered is there'

: >"$TMP/answers"
queue_many 2000
is "$(ids | sort -u | wc -l)" 2000 'two thousand more get ids of their own'
is "$(missing)" 0 '… and are there'

# ---- a log that was acknowledged

runner() { AUTH="OAuth $RUNNER_TOKEN" api POST "/runner/1/$1" "${@:2}"; }
runner lease -d '{"runner":"r","cluster":"default","slot":0,"poll":"00000000000000aa","wait_s":0}'
TASK=$(field .grant.task)
printf '\0\5\0\0\0hello' >"$TMP/segment"
runner "log?runner=r&task=$TASK&attempt=1&offset=0" --data-binary "@$TMP/segment"
is "$STATUS $BODY" '200 {"offset":5}' 'a piece of log is acknowledged'
kill9_server
start_server
runner "log?runner=r&task=$TASK&attempt=1&offset=5" --data-binary "@$TMP/segment"
is "$STATUS $BODY" '200 {"offset":10}' 'after kill -9 the attempt is live and its log goes on'
runner finish -d "{\"runner\":\"r\",\"task\":\"$TASK\",\"attempt\":1,\"class\":\"ok\",\"exit_code\":0,\"start_us\":1,\"end_us\":2,\"log_bytes\":10,\"stdout_bytes\":10,\"log_sha256\":\"$(printf hellohello | sha256sum | cut -d' ' -f1)\",\"log_complete\":true}"
is "$STATUS" 200 '… to its end'
api GET "tasks/$TASK/log"
is "$BODY" hellohello '… exact'
stop_server

# ---- a package that was spooled when the server died

mkdir -p "$SERVER_DIR/tmp"
echo junk >"$SERVER_DIR/tmp/upload-left"
echo junk >"$SERVER_DIR/packages/$(printf 'a%.0s' {1..64}).zip"
start_server
is "$(find "$SERVER_DIR/tmp" "$SERVER_DIR/packages" -type f | wc -l)" 0 'what a crash left of uploads is swept at start'
stop_server

# ---- a full disk

SERVER_DIR=$TMP/small SERVER_PORT=0
mkdir "$SERVER_DIR"
mount -t tmpfs -o size=8m none "$SERVER_DIR" || bail 'cannot mount a tmpfs'
trap 'umount -l "$TMP/small"; tap_cleanup' EXIT
start_server
upload_image c busybox ''
queue_task c
first=$TASK
head -c 16m /dev/zero >"$SERVER_DIR/fill" 2>/dev/null
full() {
    queue_task c "{\"payload\":\"$(printf 'x%.0s' {1..5000})\"}" 2>/dev/null
    [ "$STATUS" != 200 ]
}
ok 'queueing on a full disk fails' wait_for 'a refusal' 30 full
is "$STATUS" 503 '… with 503: try again'
like "$BODY" '^\{"msg":"' '… and a reason'
api GET "tasks/$first"
is "$STATUS" 200 'reading goes on'
# A small write may still find room in the write-ahead log: small tasks use that up as well.
ill() {
    for _ in {1..20}; do queue_task c 2>/dev/null; done
    api GET /health && [ "$STATUS" = 503 ]
}
ok 'health says so' wait_for 'health turns 503' 60 ill
api POST codes -F 'data={"name":"z","file_name":"x"}' -F "file=@$BIN/wrought-server"
is "$STATUS" 503 'an upload finds the disk full too'
rm "$SERVER_DIR/fill"
well() { queue_task c 2>/dev/null && [ "$STATUS" = 200 ]; }
ok 'with room again queueing goes on, without a restart' wait_for 'a task is queued' 15 well
healthy() { api GET /health && [ "$STATUS" = 200 ]; }
ok '… and health says so' wait_for 'health turns 200' 15 healthy
stop_server
start_server
api GET "tasks/$first"
is "$(field .status)" queued 'nothing was lost'
done_testing
