#!/usr/bin/env bash
# Which token opens what.
. "$(dirname "$0")/../lib.sh"
start_server

# may WHAT WANT METHOD PATH [AUTH]: the status of a request with this Authorization field.
may() {
    AUTH=${5-} api "$3" "$4"
    is "$STATUS" "$2" "$1: $3 ${4%%\?*}"
}
P=/2/projects/$PROJECT
OTHER=/2/projects/0123456789abcdef01234567
LEASE='{"runner":"r","cluster":"default","slot":0,"poll":"0123456789abcdef","wait_s":0}'

for path in /health /version /metrics; do may 'no token' 200 GET "$path"; done
for path in "$P" "$P/tasks" "$P/codes" /2/projects /2/stacks /runner/1/package/x; do
    may 'no token' 401 GET "$path"
    like "$BODY" '^\{"msg":"No token' '… in words'
    may 'a wrong token' 401 GET "$path" 'OAuth 0000'
    like "$BODY" '^\{"msg":"Invalid token"\}$' '… in words'
    may 'another scheme' 401 GET "$path" "Basic $TOKEN"
done
like "$(<"$TMP/headers")" 'WWW-Authenticate: OAuth' 'the scheme is told'

for path in "$P" "$P/tasks" "$P/codes" /2/projects /2/stacks; do
    may 'the token of the project' 200 GET "$path" "OAuth $TOKEN"
    may 'the token in the query' 200 GET "$path?oauth=$TOKEN"
    may 'the token in both places' 200 GET "$path?oauth=$TOKEN" "OAuth $TOKEN"
    may 'the token of the admin' 200 GET "$path" "OAuth $ADMIN_TOKEN"
    may 'the token of the runners' 403 GET "$path" "OAuth $RUNNER_TOKEN"
done
may 'a project that is not there' 404 GET "$OTHER/tasks" "OAuth $TOKEN"
may 'a project that is not there' 404 GET "$OTHER/tasks" "OAuth $ADMIN_TOKEN"
may 'a project that can be none' 404 GET /2/projects/default/tasks "OAuth $TOKEN"

for who in "$TOKEN" "$ADMIN_TOKEN"; do
    AUTH="OAuth $who" api POST /runner/1/lease -d "$LEASE"
    is "$STATUS" 403 'the runner protocol is for runners alone'
done
AUTH="OAuth $RUNNER_TOKEN" api POST /runner/1/lease -d "$LEASE"
is "$STATUS $BODY" '200 {"grant":null}' '… who may'

AUTH="OAuth $TOKEN" api GET /2/projects
is "$(field '.projects | map(.id) | join(" ")')" "$PROJECT" 'a token lists its own project'
AUTH="OAuth $TOKEN" api GET "$P"
is "$(field '"\(.id) \(.name)"')" "$PROJECT default" '… and gets it'
done_testing
