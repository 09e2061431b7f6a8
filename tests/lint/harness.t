#!/usr/bin/env bash
# The harness of the black-box tests tells failures from successes, and leaves nothing behind.
. "$(dirname "$0")/../lib.sh"

# small TEXT: run TEXT as a test of its own; its stdout is in $OUT, stderr in $ERR, exit code in $RC.
small() {
    printf '. "%s/tests/lib.sh"\n%s\n' "$ROOT" "$1" >"$TMP/small.sh"
    RC=0
    OUT=$(bash "$TMP/small.sh" 2>"$TMP/small.err") || RC=$?
    ERR=$(<"$TMP/small.err")
}

small 'ok one true; is a a two; isnt a b three; like abc b four; unlike abc x five; done_testing'
is "$RC" 0 'checks that hold pass'
is "$(tail -n 1 <<<"$OUT")" '1..5' 'the plan counts them'

for check in 'ok x false' 'is a b x' 'isnt a a x' 'like abc x x' 'unlike abc b x' \
    'exits x 3 true' 'exits x 3 sh -c "exit 4"'; do
    small "$check; done_testing"
    is "$RC" 1 "fails: $check"
    like "$OUT" '^not ok 1 - x' "is not ok: $check"
    like "$ERR" 'failed: x' "is said on stderr: $check"
done

small 'exits one 3 sh -c "echo out; echo err >&2; exit 3"; like "$OUT" "out.*err" two; done_testing'
is "$RC" 0 'exits takes just the wanted exit code, and keeps what was printed'

small 'done_testing'
is "$RC" 1 'a test without checks fails'
small 'ok one true; bail because; done_testing'
is "$RC" 1 'bail fails'
unlike "$OUT" '1\.\.' 'bail leaves no plan'
small 'ok one true; echo "$not_set"; done_testing'
isnt "$RC" 0 'a variable that is not set ends the test'
unlike "$OUT" '1\.\.' '… without a plan'

small 'wait_for never 1 false && ok "not reached" true; done_testing'
like "$ERR" 'not within 1 s: never' 'wait_for gives up at its deadline'
small 'spawn late sh -c "sleep 0.2; echo >\"$TMP/there\""; ok appears wait_for it 10 test -f "$TMP/there"; done_testing'
is "$RC" 0 'wait_for sees what comes later'

small 'spawn stay sleep 1000; echo "$SPAWNED $TMP"; exit 1'
read -r pid tmp <<<"$OUT"
ok 'a process of a test that ends early is ended' ended "$pid"
ok 'its directory is removed' test ! -e "$tmp"
small 'spawn deaf sh -c "trap \"\" TERM; echo >\"$TMP/deaf\"; exec tail -f /dev/null"
    wait_for deaf 10 test -f "$TMP/deaf"; kill -KILL "$SPAWNED"; end_process "$SPAWNED" KILL
    is "$EXIT_CODE" 137 "the exit code of a killed process is kept"; done_testing'
is "$RC" 0 'end_process keeps the exit code'

# A server that says where it listens, one that dies at once, and one that says nothing of use.
fake() {
    mkdir -p "$TMP/bin"
    printf '#!/bin/bash\n%s\n' "$1" >"$TMP/bin/wrought-server"
    chmod +x "$TMP/bin/wrought-server"
}
run_fake() { WROUGHT_BIN=$TMP/bin small "$1"; }
fake 'while [ "$1" != --data-dir ]; do shift; done
echo "{\"token\":\"tok\",\"project_id\":\"pro\"}" >"$2/iron.json"
echo run >"$2/runner.token"; echo adm >"$2/admin.token"
echo "listening on http://127.0.0.1:4711"; exec sleep 1000'
run_fake 'start_server; is "$URL $TOKEN $PROJECT $RUNNER_TOKEN $ADMIN_TOKEN" \
    "http://127.0.0.1:4711 tok pro run adm" all; is "$IRON_PORT" 4711 port
    ok alive alive "$SERVER_PID"; kill9_server; ok ended ended "$SERVER_PID"; done_testing'
is "$RC" 0 'start_server reads where the server listens, and its tokens'
fake 'echo "port in use" >&2; exit 1'
run_fake 'start_server; done_testing'
is "$RC" 1 'a server that dies at once fails the test'
like "$ERR" 'did not start: port in use' '… and its last words are shown'

done_testing
