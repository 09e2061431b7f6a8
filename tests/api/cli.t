#!/usr/bin/env bash
# The command line against a real server. The runner is this script, speaking api/lease.md by curl.
. "$(dirname "$0")/../lib.sh"
start_server
wrought() { timeout 60 "$BIN/wrought" "$@"; }

# split NAME CODE ARG...: exit code; stdout to $TMP/stdout, stderr to $TMP/stderr and $ERR.
split() {
    local name=$1 want=$2 rc=0
    wrought "${@:3}" >"$TMP/stdout" 2>"$TMP/stderr" || rc=$?
    ERR=$(<"$TMP/stderr")
    is "$rc" "$want" "$name"
}

# ---- a runner by hand

runner() { # ROUTE JSON
    curl -sS --max-time 60 -H "Authorization: OAuth $RUNNER_TOKEN" -H 'Content-Type: application/json' \
        -d "$2" "$URL/runner/1/$1"
}
poll_number=0
lease() { # sets LEASED and ATTEMPT from the next task
    poll_number=$((poll_number + 1))
    runner register '{"runner":"hand","cluster":"default","slots":1,"stacks":["sh"],"engine_version":"1"}' \
        >"$TMP/register.json"
    runner lease "$(printf '{"runner":"hand","cluster":"default","slot":0,"poll":"%016x","wait_s":20}' \
        "$poll_number")" >"$TMP/grant.json"
    LEASED=$(jq -r '.grant.task // empty' "$TMP/grant.json")
    ATTEMPT=$(jq -r '.grant.attempt // empty' "$TMP/grant.json")
    [ -n "$LEASED" ] || bail "no grant: $(<"$TMP/grant.json")"
}
ref() { printf '"runner":"hand","task":"%s","attempt":%s' "$LEASED" "$ATTEMPT"; }
started() { runner started "{$(ref)}" >"$TMP/started.json"; }
le32() { # a number as four bytes
    local hex
    hex=$(printf '%08x' "$1")
    printf '%b' "\\x${hex:6:2}\\x${hex:4:2}\\x${hex:2:2}\\x${hex:0:2}"
}
log_bytes=0
append() { # FILE: as stdout, behind what there is
    local size
    size=$(stat -c %s "$1")
    { printf '\0' && le32 "$size" && cat "$1"; } >"$TMP/segment"
    curl -sS --max-time 60 -H "Authorization: OAuth $RUNNER_TOKEN" --data-binary "@$TMP/segment" \
        -H 'Content-Type: application/octet-stream' \
        "$URL/runner/1/log?runner=hand&task=$LEASED&attempt=$ATTEMPT&offset=$log_bytes" >"$TMP/append.json"
    log_bytes=$((log_bytes + size))
}
finish() { # CLASS [MORE JSON]
    runner finish "{$(ref),\"class\":\"$1\",\"log_bytes\":$log_bytes,\"stdout_bytes\":$log_bytes,
        \"log_complete\":true${2:+,$2}}" >"$TMP/finish.json"
    log_bytes=0
}

# ---- upload, codes, stacks

printf 'echo hello\n' >hello.sh
ok 'a script is uploaded' wrought upload hello.sh
is "$OUT" "------> Creating client
        Project 'default' with id='$PROJECT'
------> Creating code package
        Code package name is 'hello'
------> Uploading code package 'hello'
        Code package uploaded with id='$(sed -n "s/.*with id='\(.*\)' and.*/\1/p" <<<"$OUT")' and revision='1'
        Queue a task with 'wrought queue hello'" '… and says so as iron_worker did'
ok 'again, with settings' wrought upload hello.sh --max-concurrency 3 --retries 2 --retries-delay 1m \
    --env GREETING=hi --worker-config-text '{"a":1}'
like "$OUT" "revision='2'" '… it is the next revision'
api GET codes
is "$(field '.codes[0] | [.name,.rev,.runtime,.file_name,.stack,.max_concurrency,.retries,.retries_delay,
    .env_vars.GREETING,.config] | @csv')" \
    '"hello",2,"sh","hello.sh","sh",3,2,60,"hi","{""a"":1}"' 'the server knows all of it'
api GET "codes/$(field '.codes[0].id')/download"
unzip -p "$TMP/body" hello.sh >downloaded
ok 'the package holds the script' cmp hello.sh downloaded
mkdir -p many/lib && cp hello.sh many/main.sh && cp hello.sh many/lib/x.sh
ok 'a folder is uploaded' wrought upload many --json
is "$(jq -r .msg <<<"$OUT")" 'Upload successful.' '… and --json prints the answer'
ok 'codes lists both' wrought codes
like "$OUT" 'ID +NAME +REVISION.*hello +2 +3 .*many|many.*hello +2 +3 ' '… as a table'
ok 'stacks can be asked for' wrought stacks --json
is "$OUT" '[]' '… none without a runner'

# ---- queue, tasks, status, why, cancel

ok 'a task is queued' wrought queue hello --payload '{"n":1}' --label 'nightly run' --priority 1 --timeout 2m
like "$OUT" "Code package 'hello' queued with id='([0-9a-f]{24})'" '… and its id is told'
id=${BASH_REMATCH[1]}
ok 'tasks lists it' wrought tasks --status queued --code hello
like "$OUT" "$id +hello +queued .* -  +nightly run" '… with label'
ok 'a filter leaves it out' wrought tasks --status running --json
is "$OUT" '{"tasks":[]}' '… of a list in JSON'
ok 'status knows it' wrought status "$id"
like "$OUT" 'timeout +2m' '… and its timeout'
ok 'status in JSON' wrought status "$id" --json
is "$(jq -r '[.payload,.label,.priority,.timeout]|@csv' <<<"$OUT")" '"{""n"":1}","nightly run",1,120' '… is the object'
ok 'why has an answer' wrought why "$id"
like "$OUT" 'runner' '… that there is no runner'
split 'the log of a queued task is not there' 66 log "$id"
like "$ERR" "wrought log -f $id" '… and the way to follow it is'
ok 'it is cancelled' wrought cancel "$id"
is "$(task_status "$id")" cancelled '… at once'
split 'the log of a task that never ran' 66 log "$id"
like "$ERR" 'never ran' '… says that'
ok 'following it ends at once' wrought log -f "$id"
printf 'from a file' >payload
id=$(wrought queue hello -f payload --json | jq -r '.tasks[0].id')
is "$(wrought status "$id" --json | jq -r .payload)" 'from a file' 'the payload may be a file'
ok 'cancelled too' wrought cancel "$id"
id=$(printf 'piped' | wrought queue hello -f - --json | jq -r '.tasks[0].id')
is "$(wrought status "$id" --json | jq -r .payload)" 'piped' '… or stdin'
ok 'and that one' wrought cancel "$id"

# ---- queue --wait: the log and the exit code

{ head -c 300000 /dev/urandom && printf 'no newline at the end'; } >wanted.log
wait_with() { # CLASS [MORE JSON]: what `queue --wait` makes of such an end; sets WAITED
    spawn waiter timeout 60 "$BIN/wrought" queue hello --wait
    lease && started
    append wanted.log
    finish "$@"
    WAITED=0 && wait "$SPAWNED" || WAITED=$?
}
wait_with task '"exit_code":3'
is "$WAITED" 3 '--wait exits as the task did'
ok '… and stdout is its log, byte for byte' cmp wanted.log waiter.out
: >waiter.out
wait_with timeout
is "$WAITED" 124 'a timeout exits with 124'
: >waiter.out
wait_with request '"reason":"no such image: nowhere"'
is "$WAITED" 125 'what cannot run exits with 125'
like "$(<waiter.log)" 'no such image' '… and the reason is told'

# ---- log, and its followers

id=$LEASED
split 'a finished log is printed' 0 log "$id"
ok '… byte for byte' cmp wanted.log "$TMP/stdout"
"$BIN/wrought" log "$id" 2>pipe.log | head -c 10 >/dev/null
is "${PIPESTATUS[0]} $(grep -c wrought: pipe.log)" '141 0' 'a reader that goes away is no error'

wrought queue hello >/dev/null
lease && started
id=$LEASED
spawn follower timeout 120 "$BIN/wrought" log -f "$id"
follower=$SPAWNED
head -c 100000 wanted.log >first && tail -c +100001 wanted.log >second
append first
got() { [ "$(stat -c %s follower.out)" -ge "$1" ]; }
ok 'a follower gets what there is' wait_for 'the first part' 20 got 100000
kill9_server
said_away() { grep -q 'trying again' follower.log; }
ok 'it says that the server is away' wait_for 'the notice' 20 said_away
start_server
append second
ok 'it goes on where it was' wait_for 'the second part' 30 got "$(stat -c %s wanted.log)"
finish task '"exit_code":7'
followed=0 && wait "$follower" || followed=$?
is "$followed" 0 'it ends with the task'
ok '… without gap or repeat' cmp wanted.log follower.out
is "$(grep -c 'trying again' follower.log) $(grep -c 'connected again' follower.log)" '1 1' '… after one notice each way'

wrought queue hello >/dev/null
lease && started
id=$LEASED
spawn interrupted "$BIN/wrought" log -f "$id"
printf 'tick\n' >tick && append tick
ticked() { [ -s interrupted.out ]; }
ok 'another follower gets a line' wait_for 'a line' 20 ticked
kill -INT "$SPAWNED"
interrupted=0 && wait "$SPAWNED" || interrupted=$?
is "$interrupted" 130 'Ctrl-C exits with 130'
like "$(<interrupted.log)" "Task $id goes on; 'wrought cancel $id' ends it" '… says what goes on'
is "$(task_status "$id")" running '… and the task does'
spawn cancelled timeout 60 "$BIN/wrought" log -f "$id"
ok 'it is cancelled under a follower' wrought cancel "$id"
finish cancelled
ok '… who sees the end' wait "$SPAWNED"

# ---- wrong input

split 'an unknown code' 66 queue nobody
like "$ERR" 'nobody' '… is named'
head -c 1048577 /dev/zero | tr '\0' x >big
split 'a payload over the limit' 65 queue hello -f big
like "$ERR" '1048576' '… names the limit'
split 'an unknown task' 66 status 000000000000000000000000
split 'a wrong token' 77 tasks --token wrong
like "$ERR" 'token from --token' '… says whose'
split 'an unknown project' 66 queue hello --project-id 000000000000000000000000
printf 'PK\3\4 and then nothing' >broken.zip
split 'a broken zip' 65 upload broken.zip --command x
like "$ERR" 'broken.zip' '… is named'
mkdir empty
split 'an empty folder' 65 upload empty --command x
split 'a file that is not there' 66 upload nowhere.py
IRON_PORT=1 split 'no server' 69 tasks
like "$ERR" '127\.0\.0\.1:1.*IRON_PORT' '… names where it was looked for'

# ---- other ways in

ln -s "$BIN/wrought" iron_worker
ok 'it answers to iron_worker' env -u IRON_TOKEN -u IRON_PROJECT_ID -u IRON_PORT ./iron_worker queue hello \
    --config "$SERVER_DIR/iron.json"
like "$OUT" "Follow its log with 'iron_worker log -f" '… by that name'
script -qec "$BIN/wrought upload hello.sh" typescript >/dev/null 2>&1 </dev/null
like "$(<typescript)" '\[=+\] 100%' 'a terminal gets a progress bar'
ok 'it ends' stop_server
done_testing
