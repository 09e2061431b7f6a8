#!/usr/bin/env bash
# Credentials of image registries: as `docker login` sends them, sealed on disk, and in grants alone.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/fake/runner.sh"
start_server --log-level debug
upload_image private registry.example.com:5000/acme/thumb:2 ''
upload_image hub acme/thumb ''
upload_image other quay.io/acme/thumb ''
runner register '{"runner":"r1","cluster":"default","version":"1","slots":2,"stacks":["sh"],"engine_version":"1"}'

store() { # SERVERADDRESS PASSWORD: for the user bob
    api POST credentials -d "$(jq -nc --arg s "$1" --arg p "$2" \
        '{auth: ({username:"bob", password:$p, email:"b@example.com", serveraddress:$s} | tojson | @base64)}')"
}
# granted CODE: what the grant of a task of it carries for the pull, decoded; or "none".
granted() {
    queue_task "$1"
    lease 0
    local auth
    auth=$(field '.grant.registry_auth // empty')
    AUTH_TEXT=$auth
    if [ -n "$auth" ]; then tr '_-' '/+' <<<"$auth" | base64 -d; else echo none; fi
    finish "$GRANTED" "$ATTEMPT" ok 0 0 ''
}

is "$(granted private)" none 'without credentials a grant carries none'
store https://registry.example.com:5000/v1/ 's3cret-ÿ?>'
is "$STATUS $BODY" '200 {"msg":"Credentials stored"}' 'they are stored'
is "$(granted private)" \
    '{"username":"bob","password":"s3cret-ÿ?>","email":"b@example.com","serveraddress":"registry.example.com:5000"}' \
    'a grant of an image of that registry carries them'
granted private >"$TMP/out"
unlike "$AUTH_TEXT" '[+/]' '… in the alphabet that Docker reads'
is "$(granted hub)" none 'an image of another registry gets none'
store '' 'hubs3cret'
like "$(granted hub)" '"hubs3cret"' 'no serveraddress means Docker Hub'
is "$(granted other)" none '… which is not any registry'
store registry.example.com:5000 'news3cret'
like "$(granted private)" '"news3cret"' 'the newer ones take the place of the older'

api GET credentials
is "$(field '.credentials | map("\(.serveraddress) \(.username) \(.email)") | join(";")')" \
    'docker.io bob b@example.com;registry.example.com:5000 bob b@example.com' 'they are listed'
unlike "$BODY" 's3cret' '… without a password'
ok 'R4: … under one key' jq -e 'keys == ["credentials"]' "$TMP/body"

kill9_server
start_server --log-level debug
like "$(granted private)" '"news3cret"' 'a restart keeps them'
exits 'no password is in the database, its journal or any other file' 1 \
    grep -rqa 's3cret' "$SERVER_DIR"
exits '… or in the log' 1 grep -qa 's3cret' "$TMP/server.log"
exits '… not even as base64' 1 grep -qaF "$AUTH_TEXT" "$TMP/server.log"
is "$(stat -c %a "$SERVER_DIR/secrets.key")" 600 'the key is for its owner alone'

api DELETE credentials/docker.io
is "$STATUS $BODY" '200 {"msg":"Deleted"}' 'they are deleted'
is "$(granted hub)" none '… and gone'
api DELETE credentials/docker.io
is "$STATUS" 404 'what is not there cannot be deleted'

stop_server
printf '%064d\n' 0 >"$SERVER_DIR/secrets.key"
start_server
is "$(granted private)" none 'with another key they cannot be read, and tasks still run'
like "$(<"$TMP/server.log")" 'credentials are not readable' '… and the log says why'
api GET credentials
like "$(field '.credentials[0].problem')" 'key' '… as does the list'
stop_server
echo broken >"$SERVER_DIR/secrets.key"
exits 'a broken key file is an error at start' 65 timeout 20 "$BIN/wrought-server" --listen 127.0.0.1:0 --data-dir "$SERVER_DIR"
like "$OUT" 'secrets\.key' '… that names it'
rm "$SERVER_DIR/secrets.key"
start_server

refused() { # STATUS REGEX NAME AUTH-JSON
    api POST credentials -d "$(jq -nc --arg a "$4" '{auth: ($a | @base64)}')"
    is "$STATUS" "$1" "$3"
    like "$BODY" "^\{\"msg\":\".*$2" '… and says why'
}
refused 406 'password' 'no password' '{"username":"bob"}'
refused 400 'username' 'a username that is no text' '{"username":7,"password":"x"}'
refused 400 'serveraddress' 'an address that is none' '{"username":"b","password":"x","serveraddress":"a b"}'
refused 400 'auth' 'no JSON' 'bob:x'
api POST credentials -d '{"auth":"***"}'
is "$STATUS" 400 'no base64'
api POST credentials -d '{}'
is "$STATUS" 406 'no auth'
AUTH="OAuth $RUNNER_TOKEN" api GET credentials
is "$STATUS" 403 'a runner may not list them'
done_testing
