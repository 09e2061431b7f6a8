#!/usr/bin/env bash
# Projects and tokens by the command line.
. "$(dirname "$0")/../lib.sh"
start_server
wrought() { timeout 60 "$BIN/wrought" "$@"; }
admin() { wrought "$@" --token-file "$SERVER_DIR/admin.token"; }

ok 'a project is made' admin project create reports
like "$OUT" "Project with id='([0-9a-f]{24})': Created" '… and its id told'
project=${BASH_REMATCH[1]}
like "$(admin project list)" "$project +reports +20" '… and listed'
unlike "$(wrought project list)" reports '… but not for the token of another'
exits 'its name is taken' 65 admin project create reports

token=$(admin token create --for-project "$project" --name ci 2>said)
like "$token" '^[^ ]{16,}$' 'a token is all that stdout gets'
like "$(<said)" "with id='([0-9a-f]{24})', shown this once" '… and its id is told beside it'
id=${BASH_REMATCH[1]}
like "$(admin token list)" "$id +project +ci +$project" 'it is listed'
unlike "$(admin token list --json)" "$token" '… without what it is'
ok 'it opens its project' wrought tasks --token "$token" --project-id "$project"
ok 'it is revoked' admin token revoke "$id"
exits '… and opens nothing' 77 wrought tasks --token "$token" --project-id "$project"
is "$(admin token create --scope runner --json | jq -r .msg)" Created 'a token of another scope, in JSON'
exits 'which has no project' 64 admin token create --scope runner --for-project "$project"
exits 'a project token makes none' 77 wrought token create

# ---- credentials of a registry

printf 's3cret\n' >password
ok 'docker login' wrought docker login -u ann --password-file password -e ann@example.org -url https://registry.example/
like "$OUT" "----->  Storing docker repo credentials
        Added docker repo credentials: Credentials stored" '… says what iron said'
api GET credentials
like "$BODY" '"username":"ann"' '… and the server has it'
unlike "$BODY" s3cret '… and shows no password'

ok 'the project is deleted' admin project delete "$project"
unlike "$(admin project list)" reports '… and gone'
done_testing
