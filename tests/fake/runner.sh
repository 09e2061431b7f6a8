# shellcheck shell=bash
# A runner that is the test itself: what it says to the server by the protocol of api/lease.md, one
# function each. Source it after tests/lib.sh. It is called r1 and is of the cluster default.

runner() { # ROUTE JSON [curl argument...]
    AUTH="OAuth $RUNNER_TOKEN" api POST "/runner/1/$1" -d "$2" "${@:3}"
}
poll_number() { od -An -N8 -tx8 /dev/urandom | tr -d ' '; }
# lease SLOT [POLL [WAIT]]: sets GRANTED (a task's id or null) and ATTEMPT.
lease() {
    runner lease "{\"runner\":\"r1\",\"cluster\":\"default\",\"slot\":$1,\"poll\":\"${2:-$(poll_number)}\",\"wait_s\":${3:-0}}"
    GRANTED=$(field .grant.task) ATTEMPT=$(field .grant.attempt)
}
report() { printf '"runner":"%s","task":"%s","attempt":%s' "${WHO:-r1}" "$1" "$2"; }
# later NAME ROUTE JSON: a call in the background; its answer goes to $TMP/NAME.out.
later() {
    spawn "$1" curl -sS --max-time 60 -H "Authorization: OAuth $RUNNER_TOKEN" -d "$3" "$URL/runner/1/$2"
}
# segment STREAM TEXT: a wire segment of a log.
segment() {
    local len=${#2} i
    printf '%b' "\\x0$1"
    for i in 0 8 16 24; do printf '%b' "\\x$(printf %02x $((len >> i & 255)))"; done
    printf '%s' "$2"
}
# append TASK ATTEMPT OFFSET FILE
append() {
    AUTH="OAuth $RUNNER_TOKEN" api POST "/runner/1/log?runner=r1&task=$1&attempt=$2&offset=$3" \
        -H 'Content-Type: application/octet-stream' --data-binary "@$4"
}
# ending TASK ATTEMPT CLASS EXIT LOG-BYTES LOG-TEXT: what finish says.
ending() {
    printf '%s' "{$(report "$1" "$2"),\"class\":\"$3\",$([ "$4" -lt 0 ] || echo "\"exit_code\":$4,")\"start_us\":1700000000000000,\"end_us\":1700000001000000,\"log_bytes\":$5,\"stdout_bytes\":$5,\"log_sha256\":\"$(printf %s "$6" | sha256sum | cut -d' ' -f1)\",\"log_complete\":true}"
}
finish() { runner finish "$(ending "$@")"; } # as ending
# run_task [CLASS [EXIT [LOG]]]: lease, start and end the next task of the queue; its id is in $GRANTED.
run_task() {
    local log=${3:-}
    lease 0
    runner started "{$(report "$GRANTED" "$ATTEMPT"),\"container\":\"abc\",\"image\":\"busybox\",\"image_id\":\"sha256:1\"}"
    [ -z "$log" ] || { segment 1 "$log" >"$TMP/segment" && append "$GRANTED" "$ATTEMPT" 0 "$TMP/segment"; }
    finish "$GRANTED" "$ATTEMPT" "${1:-ok}" "${2:-0}" "${#log}" "$log"
}
