#!/usr/bin/env bash
# HTTP as old clients really speak it (ironworker-api W1-W10), and what has to be refused.
. "$(dirname "$0")/../lib.sh"
start_server

trap '' PIPE # a refusal may come while we are sending

# raw TEXT: send these bytes (printf escapes, \r\n too) on a connection of their own; what comes back
# until the server closes is in $OUT, its status in $STATUS.
raw() {
    exec 3<>"/dev/tcp/127.0.0.1/$SERVER_PORT" || bail 'cannot connect'
    # shellcheck disable=SC2059  # the text is a format
    printf "$1" >&3 2>/dev/null
    OUT=$(timeout 10 cat <&3 | tr -d '\r\0')
    exec 3>&-
    STATUS=${OUT#HTTP/1.1 }
    STATUS=${STATUS%%[!0-9]*}
}
AUTHED="Authorization: OAuth $TOKEN\r\nHost: h\r\n"
LAST="${AUTHED}Connection: close\r\n"
P=/2/projects/$PROJECT

api POST codes -d '{"name":"c","image":"busybox"}'
is "$STATUS" 200 'a code of an image alone is taken'

raw "GET $P/tasks? HTTP/1.1\r\n$LAST\r\n"
is "$STATUS" 200 'W1: a bare question mark'
raw "GET http://any.host:1234$P/tasks HTTP/1.1\r\n$LAST\r\n"
is "$STATUS" 200 'W2: the absolute form'
like "$OUT" '\{"tasks":\[\]\}' '… with the same answer'

raw "GET $P/tasks HTTP/1.1\r\n${AUTHED}Content-Length: 2\r\n\r\n{}GET $P/codes HTTP/1.1\r\n$LAST\r\n"
is "$(grep -o 'HTTP/1.1 200' <<<"$OUT" | wc -l)" 2 'W3: a body on GET, and the next request on the same connection'
raw "DELETE $P/codes/000000000000000000000000 HTTP/1.1\r\n${AUTHED}Content-Type: multipart/form-data\r\nContent-Length: 15\r\n\r\n{\"oauth\":\"xyz\"}GET $P/codes HTTP/1.1\r\n$LAST\r\n"
is "$(grep -o 'HTTP/1.1 [0-9]*' <<<"$OUT" | tr '\n' ' ')" 'HTTP/1.1 404 HTTP/1.1 200 ' \
    'W3, W6: a body on DELETE under a wrong type'

BODY='{"tasks":[{"code_name":"c"}]}'
raw "POST $P/tasks HTTP/1.1\r\n${LAST}Transfer-Encoding: chunked\r\n\r\n$(printf '%x' ${#BODY})\r\n$BODY\r\n0\r\n\r\n"
is "$STATUS" 200 'W4: a chunked body'
TASK=$(grep -o '"id":"[0-9a-f]*' <<<"$OUT" | cut -c7-)
like "$TASK" '^[0-9a-f]{24}$' 'R1: an id has 24 hex digits'
like "$OUT" '\{"msg":"Queued up","tasks":\[\{"id":"[0-9a-f]{24}"\}\]\}' 'R13: compact, msg first'

raw "POST $P/tasks/$TASK/cancel HTTP/1.1\r\n${AUTHED}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nPOST $P/tasks/$TASK/cancel HTTP/1.1\r\n$LAST\r\n"
is "$(grep -o '"msg":"Cancelled"' <<<"$OUT" | wc -l)" 2 'W4, W5: cancel with an empty chunked body, and with none'
raw "POST $P/tasks/$TASK/cancel HTTP/1.1\r\n${LAST}Content-Type: multipart/form-data\r\nContent-Length: 2\r\n\r\n{}"
is "$STATUS" 200 'W6: cancel with JSON as multipart without a boundary'

raw "POST $P/tasks HTTP/1.1\r\n${LAST}Expect: 100-continue\r\nContent-Length: ${#BODY}\r\n\r\n$BODY"
like "$OUT" '^HTTP/1.1 100' 'W7: 100 Continue'
like "$OUT" $'\nHTTP/1.1 200' '… and then the answer'

BODY='{"tasks":[{"code_name":"c","label":null,"cluster":null,"priority":-3,"timeout":0,"delay":0.5,"name":"c","sync":false,"x":{}}],"oauth":"y"}'
api POST tasks -d "$BODY"
is "$STATUS" 200 'W8: unknown members, nulls and fractions'
for flag in 1 true %21d%28bool%3Dtrue%29; do
    api GET "tasks?queued=$flag&code_name="
    is "$(field '.tasks | length')" 2 "W9: the flag queued=$flag, and an empty code_name"
done
api GET 'tasks?complete=1'
is "$(field '.tasks | length')" 0 '… another flag finds none'
api GET 'tasks?queued=0&complete=false'
is "$(field '.tasks | length')" 3 '… 0 and false are no flags'
api GET tasks -H 'Accept: image/png'
is "$STATUS" 200 'W10: any Accept'

raw "GET $P/tasks HTTP/1.1\r\n$LAST\r\n"
like "$OUT" $'\nConnection: close' 'Connection: close is answered in kind'
raw "GET $P/tasks HTTP/1.1\r\nHost: h\r\nauthorization: oAuTh   $TOKEN\r\nConnection: close\r\n\r\n"
is "$STATUS" 200 'the scheme of the token is case-insensitive'

STATUS=$(curl -sS -o "$TMP/body" -D "$TMP/headers" -w '%{http_code} %{size_download}' -I "$URL/version")
is "$STATUS" '200 0' 'HEAD gives the header fields alone'
like "$(<"$TMP/headers")" 'Content-Length: [1-9]' '… with the length of the body'

# ---- refusals: JSON, always

raw "POST $P/tasks HTTP/1.1\r\n${AUTHED}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x"
is "$STATUS" 400 'two lengths are refused'
like "$OUT" $'\nContent-Type: application/json' '… in JSON'
like "$OUT" $'\nConnection: close' '… and the connection ends'
raw "POST $P/tasks HTTP/1.1\r\n${AUTHED}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
is "$STATUS" 400 'a length with chunked is refused'
raw "GET $P/tasks%%00x HTTP/1.1\r\n$LAST\r\n"
is "$STATUS" 400 'an encoded NUL in the path is refused'
raw "GET $P/tasks?label=a%%00b HTTP/1.1\r\n$LAST\r\n"
is "$STATUS" 400 '… and in an argument'
raw "GET /$(printf 'x%.0s' {1..9000}) HTTP/1.1\r\n$LAST\r\n"
is "$STATUS" 413 'a target over 8 KiB is refused'
raw "OPTIONS * HTTP/1.1\r\n$LAST\r\n"
is "$STATUS" 400 'a target that is no path'

api GET /nothing/here
is "$STATUS $BODY" '404 {"msg":"Not found"}' 'an unknown path'
api PATCH tasks
is "$STATUS $BODY" '405 {"msg":"Method not allowed"}' 'an unknown verb'
like "$(<"$TMP/headers")" 'Allow: .*GET.*POST|Allow: .*POST.*GET' '… with those there are'

# ---- bodies that are refused before they are there

head -c 5000000 /dev/zero | tr '\0' x >"$TMP/5M"
api POST tasks -H 'Content-Type: application/json' -H 'Expect:' --data-binary "@$TMP/5M"
is "$STATUS" 400 'five megabytes that are no JSON fit, and are no JSON'
head -c 9000000 /dev/zero | tr '\0' x >"$TMP/9M"
api POST tasks -H 'Content-Type: application/json' -H 'Expect:' --data-binary "@$TMP/9M"
is "$STATUS" 413 'a body over the ceiling, sent at once: the client sees the answer'
like "$BODY" 'limit of [0-9]+ bytes' '… which names the limit'
api POST tasks -H 'Content-Type: application/json' -H 'Expect:' -H 'Transfer-Encoding: chunked' --data-binary "@$TMP/9M"
is "$STATUS" 413 '… chunked as well'
api POST tasks -H 'Content-Type: application/json' -H 'Expect: 100-continue' --data-binary "@$TMP/9M"
is "$STATUS" 413 '… and with 100-continue'
AUTH='OAuth wrong' api POST tasks -H 'Content-Type: application/json' -H 'Expect:' --data-binary "@$TMP/9M"
is "$STATUS" 401 'a wrong token with a large body on its way'

# ---- the log of the server

unlike "$(<"$TMP/server.log")" "$TOKEN" 'no token is logged'
api GET "/2/projects/$PROJECT/nothing?oauth=$TOKEN"
is "$STATUS" 404 'a request that is logged, with a token in its query'
unlike "$(<"$TMP/server.log")" "$TOKEN" '… without it'
like "$(<"$TMP/server.log")" "path=/2/projects/$PROJECT/nothing status=404" '… and with its path and status'

ok 'it stops with idle connections open' stop_server
is "$EXIT_CODE" 0 '… with exit code 0'
done_testing
