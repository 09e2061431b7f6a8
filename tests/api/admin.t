#!/usr/bin/env bash
# Administration: projects and tokens, for the admin's token alone.
. "$(dirname "$0")/../lib.sh"
start_server

admin() { AUTH="OAuth $ADMIN_TOKEN" api "$@"; }
as() { AUTH="OAuth $1" api "${@:2}"; } # TOKEN METHOD PATH...
refused() { # STATUS REGEX NAME
    is "$STATUS" "$1" "$3"
    like "$BODY" "^\{\"msg\":\".*$2" '… and says why'
}

# ---- projects

admin POST /2/projects -d '{"name":"second"}'
like "$STATUS $BODY" '^200 \{"msg":"Created","id":"[0-9a-f]{24}","name":"second"\}$' 'a project is made'
second=$(field .id)
admin GET /2/projects
is "$(field '.projects | map(.name) | join(" ")')" 'default second' 'it is listed'
admin POST /2/projects -d '{"name":"second"}'
refused 409 'second' 'a name that is taken'
admin POST /2/projects -d '{"name":""}'
refused 406 'name' 'no name'
admin POST /2/projects -d '{"name":"x","owner":"y"}'
refused 400 'owner' 'a member that nobody knows'
api POST /2/projects -d '{"name":"mine"}'
is "$STATUS" 403 "a project's token makes no project"

# ---- tokens

token() { admin POST /2/tokens -d "$1" && NEW=$(field .token) NEW_ID=$(field .id); } # JSON
token "{\"scope\":\"project\",\"project_id\":\"$second\",\"name\":\"ci\"}"
like "$STATUS $BODY" '^200 \{"msg":"Created","id":"[0-9a-f]{24}","token":"[0-9a-f]{48}"\}$' 'a token is made'
as "$NEW" GET "/2/projects/$second/tasks"
is "$STATUS" 200 '… and opens its project'
as "$NEW" GET tasks
is "$STATUS" 403 '… but no other'
as "$TOKEN" GET "/2/projects/$second/tasks"
is "$STATUS" 403 '… which tokens of others do not'
as "$NEW" GET /2/projects
is "$(field '.projects | map(.name) | join(" ")')" second '… and shows it alone'
project_token=$NEW project_token_id=$NEW_ID
token '{"scope":"runner"}'
as "$NEW" POST /runner/1/register \
    -d '{"runner":"r","cluster":"default","version":"1","slots":1,"stacks":[],"engine_version":"1"}'
is "$STATUS" 200 'a runner registers with a token of its own'
token '{"scope":"admin","name":"me too"}'
as "$NEW" GET /2/tokens
is "$STATUS $(field '.tokens | length')" '200 6' 'a second admin lists all tokens'
unlike "$BODY" "$NEW|$TOKEN" '… which are not shown again'
is "$(field ".tokens[] | select(.id == \"$project_token_id\") | \"\(.scope) \(.project_id) \(.name)\"")" \
    "project $second ci" '… with what they are for'
ok 'R4: … under one key' jq -e 'keys == ["tokens"]' "$TMP/body"
exits 'no new token is in the database or the log' 1 grep -rqaF "$NEW" "$SERVER_DIR/wrought.db" "$SERVER_DIR/wrought.db-wal" "$TMP/server.log"

first_admin=$(field '.tokens | map(select(.scope == "admin"))[0].id')
admin DELETE "/2/tokens/$project_token_id"
is "$STATUS $BODY" '200 {"msg":"Revoked"}' 'a token is revoked'
as "$project_token" GET "/2/projects/$second/tasks"
is "$STATUS" 401 '… and opens nothing from then on'
as "$NEW" DELETE "/2/tokens/$first_admin"
is "$STATUS" 200 'one admin revokes the other'
admin GET /2/tokens
is "$STATUS" 401 '… who is out'
ADMIN_TOKEN=$NEW
admin DELETE "/2/tokens/$NEW_ID"
refused 409 'last' 'the last admin'
admin DELETE /2/tokens/000000000000000000000000
refused 404 '' 'a token that is not there'

token '{"scope":"king"}'
refused 400 'scope.*king' 'a scope that there is not'
token '{"scope":"project"}'
refused 406 'project_id' 'a project token without a project'
token '{"scope":"project","project_id":"000000000000000000000000"}'
refused 404 'project' '… of one that is not there'
token "{\"scope\":\"admin\",\"project_id\":\"$second\"}"
refused 400 'project_id' 'an admin of one project'
for call in 'GET /2/tokens' 'POST /2/tokens' "DELETE /2/tokens/$NEW_ID"; do
    # shellcheck disable=SC2086  # verb and path
    api $call
    is "$STATUS" 403 "a project's token may not ${call%% *} tokens"
done

# ---- deletion

token "{\"scope\":\"project\",\"project_id\":\"$second\"}"
admin POST "/2/projects/$second/codes" -d '{"name":"c","image":"busybox"}'
code=$(field .id)
admin DELETE "/2/projects/$second"
refused 409 '1 codes' 'a project that has codes'
admin DELETE "/2/projects/$second/codes/$code"
as "$NEW" DELETE "/2/projects/$second"
is "$STATUS" 403 'its own token may not delete it'
admin DELETE "/2/projects/$second"
is "$STATUS $BODY" '200 {"msg":"Deleted"}' 'the admin deletes it'
admin GET "/2/projects/$second"
is "$STATUS" 404 '… it is gone'
as "$NEW" GET "/2/projects/$second/tasks"
is "$STATUS" 401 '… and its tokens with it'
admin POST /2/projects -d '{"name":"second"}'
is "$STATUS" 200 '… its name is free again'
isnt "$(field .id)" "$second" '… for another one'
admin DELETE "/2/projects/$PROJECT"
refused 409 'iron\.json' 'the first project'

kill9_server
ADMIN_WAS=$ADMIN_TOKEN
start_server
is "$(as "$ADMIN_WAS" GET /2/projects && field '.projects | length')" 2 'a restart keeps all of it'
done_testing
