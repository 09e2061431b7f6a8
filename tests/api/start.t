#!/usr/bin/env bash
# What tools rely on when they start a server: its files, its one line, its refusals.
. "$(dirname "$0")/../lib.sh"
start_server

is "$(<"$TMP/server.out")" "listening on http://127.0.0.1:$SERVER_PORT" 'stdout is the one line'
isnt "$SERVER_PORT" 0 'port 0 became a real one'
is "$(stat -c '%a %n' "$SERVER_DIR"/{iron.json,runner.token,admin.token} | sed 's|/.*/||')" \
    $'600 iron.json\n600 runner.token\n600 admin.token' 'secrets are for the owner alone'
ok 'iron.json is what Iron clients read' jq -e --argjson port "$SERVER_PORT" '
    (.token | length > 20) and (.project_id | test("^[0-9a-f]{24}$")) and .host == "127.0.0.1"
    and .scheme == "http" and .protocol == "http" and .port == $port and .api_version == "2"' \
    "$SERVER_DIR/iron.json"
AUTH='' api GET /health
is "$STATUS" 200 'health is there for all'
AUTH='' api GET /version
is "$STATUS" 200 'so is the version'
api GET tasks
is "$STATUS $BODY" '200 {"tasks":[]}' 'the token of iron.json opens the project'

ok 'the CLI finds it healthy' "$BIN/wrought" health

server() { timeout 20 "$BIN/wrought-server" "$@"; }
refused() { # NAME REGEX ARG...
    exits "$1 is refused" 64 server "${@:3}"
    like "$OUT" "$2" "… and named"
}
refused 'an unknown flag' 'no-such-flag' --no-such-flag --data-dir "$TMP/other"
refused 'a bad address' 'listen' --listen nonsense --data-dir "$TMP/other"
ok 'a refused start leaves no data directory' test ! -e "$TMP/other"

before=$(sha256sum "$SERVER_DIR"/*.token "$SERVER_DIR/iron.json")
server --listen 127.0.0.1:0 --data-dir "$SERVER_DIR" >"$TMP/second.out" 2>&1
isnt $? 0 'a second server on the data directory is refused'
like "$(<"$TMP/second.out")" 'lock' '… and told that it is locked'
server --listen "127.0.0.1:$SERVER_PORT" --data-dir "$TMP/third" >"$TMP/third.out" 2>&1
isnt $? 0 'a port in use is refused'
like "$(<"$TMP/third.out")" "$SERVER_PORT" '… and named'
api GET tasks
is "$STATUS" 200 'the first is not disturbed'

spawn elsewhere "$BIN/wrought-server" --listen 127.0.0.1:0 --data-dir "$TMP/elsewhere" \
    --runner-token-file "$TMP/given.token"
ok 'the runner token can be put elsewhere' wait_for 'the token' 20 test -s "$TMP/given.token"
is "$(stat -c %a "$TMP/given.token")" 600 '… for the owner alone as well'
ok '… and not in the data directory' test ! -e "$TMP/elsewhere/runner.token"
ok 'that server ends' end_process "$SPAWNED"

kill9_server
start_server
is "$(sha256sum "$SERVER_DIR"/*.token "$SERVER_DIR/iron.json")" "$before" 'a restart keeps tokens and iron.json'
api GET tasks
is "$STATUS" 200 '… and they open the project'
ok 'it ends on SIGTERM' stop_server
is "$EXIT_CODE" 0 '… with exit code 0'
done_testing
