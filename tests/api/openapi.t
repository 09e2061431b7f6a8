#!/usr/bin/env bash
# api/openapi.yaml, the route table and the server say the same: see tests/api/openapi.py.
. "$(dirname "$0")/../lib.sh"
start_server

api GET /openapi.yaml
is "$STATUS" 200 'the description is served'
ok '… as it stands in the sources' cmp "$TMP/body" "$ROOT/api/openapi.yaml"
like "$(<"$TMP/headers")" 'Content-Type: application/yaml' '… as YAML'

"$BIN/tests/list_routes" >"$TMP/routes" || bail 'cannot list the routes'
"$ROOT/tests/api/openapi.py" "$ROOT/api/openapi.yaml" "$TMP/routes" >"$TMP/checks" 2>"$TMP/openapi.log" ||
    bail 'the replay broke off'
while IFS=$'\t' read -r name wrong; do
    is "$wrong" '' "$name"
done <"$TMP/checks"
done_testing
