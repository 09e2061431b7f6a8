# shellcheck shell=bash
# lib.sh: what every black-box test (tests/*/*.t) is made of. Source it first:
#
#   . "$(dirname "$0")/../lib.sh"
#   start_server
#   api GET /version
#   is "$STATUS" 200 'the version is there for all'
#   done_testing
#
# TAP on stdout, the reason of a failure on stderr. There is no way to skip. A test that ends early
# prints no plan, which prove takes for a failure. Whatever a test starts here is ended by pid at its
# end, and its temporary directory $TMP removed; when a check failed, the ends of $TMP/*.log are shown.
set -u

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BIN=$(realpath -m "${WROUGHT_BIN:-$ROOT/build}") # the programs under test
TMP=$(mktemp -d "${TMPDIR:-/tmp}/wrought-test-XXXXXX")
export ROOT BIN TMP
# No configuration of the person who runs the tests: not from home, variables, or ./iron.json.
export HOME=$TMP
unset "${!IRON_@}" "${!WROUGHT_@}"
cd "$TMP" || exit 1

tap_count=0 tap_failed=0 tap_pids=()

# ---- checks

tap_result() { # RC NAME: one TAP line
    tap_count=$((tap_count + 1))
    if [ "$1" = 0 ]; then
        printf 'ok %d - %s\n' "$tap_count" "$2"
    else
        tap_failed=$((tap_failed + 1))
        printf 'not ok %d - %s\n' "$tap_count" "$2"
        diag "failed: $2 ($0, line ${BASH_LINENO[-2]})"
    fi
    return "$1"
}

diag() { printf '# %s\n' "${*//$'\n'/$'\n'# }" >&2; }

# exits NAME CODE cmd...: the command ends with just that exit code. What it printed is in $OUT.
exits() {
    local name=$1 want=$2 rc=0
    shift 2
    "$@" >"$TMP/.out" 2>&1 || rc=$? # in this shell: cmd may be a function that sets variables
    OUT=$(tr -d '\0' <"$TMP/.out")
    tap_result "$((rc != want))" "$name" || diag "  exit code $rc, want $want, of: $*"$'\n'"$OUT"
}

ok() { exits "$1" 0 "${@:2}"; } # NAME cmd...: the command succeeds

is() { # GOT WANT NAME
    local bad=0
    [ "$1" = "$2" ] || bad=1
    tap_result "$bad" "$3" || diag "  got:  $1"$'\n'"  want: $2"
}

isnt() { # GOT UNWANTED NAME
    local bad=0
    [ "$1" != "$2" ] || bad=1
    tap_result "$bad" "$3" || diag "  got: $1"
}

like() { # GOT REGEX NAME
    local bad=0
    [[ $1 =~ $2 ]] || bad=1
    tap_result "$bad" "$3" || diag "  got:  $1"$'\n'"  want: $2"
}

unlike() { # GOT REGEX NAME
    local bad=0
    ! [[ $1 =~ $2 ]] || bad=1
    tap_result "$bad" "$3" || diag "  got:      $1"$'\n'"  unwanted: $2"
}

# bail TEXT: this test cannot go on; counts as a failure, for no plan is printed.
bail() {
    tap_failed=$((tap_failed + 1))
    diag "cannot go on: $*"
    exit 1
}

done_testing() {
    printf '1..%d\n' "$tap_count"
    exit "$((tap_failed > 0 || tap_count == 0))"
}

# ---- waiting and processes

# wait_for WHAT SECONDS cmd...: run cmd until it succeeds; 1 and a word about it when the time is over.
wait_for() {
    local what=$1 seconds=$2 deadline=$((SECONDS + $2))
    shift 2
    until "$@"; do
        if ((SECONDS > deadline)); then
            diag "not within ${seconds} s: $what"
            return 1
        fi
        sleep 0.05
    done
}

# spawn NAME cmd...: run it in the background, stdout to $TMP/NAME.out and stderr to $TMP/NAME.log;
# its pid is in $SPAWNED and ended with the test.
spawn() {
    local name=$1
    shift
    "$@" >>"$TMP/$name.out" 2>>"$TMP/$name.log" </dev/null &
    SPAWNED=$!
    tap_pids+=("$SPAWNED")
}

alive() { # PID
    local state
    state=$(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)
    [ -n "$state" ] && [ "$state" != Z ]
}
ended() { ! alive "$1"; }

# end_process PID [SIGNAL]: signal a process that the test started and wait for its end; its exit
# code is in $EXIT_CODE. One that does not follow SIGTERM within 20 s is killed, and 1 returned.
end_process() {
    local rc=0
    kill -"${2:-TERM}" "$1" 2>/dev/null
    wait_for "process $1 ends on SIG${2:-TERM}" 20 ended "$1" || {
        rc=1
        kill -KILL "$1" 2>/dev/null
    }
    # shellcheck disable=SC2034  # for the test
    { EXIT_CODE=0 && wait "$1" 2>/dev/null; } || EXIT_CODE=$?
    return "$rc"
}

tap_stop_processes() {
    local pid
    for pid in "${tap_pids[@]}"; do
        ! alive "$pid" || end_process "$pid"
    done
}
tap_cleanup() {
    local file
    tap_stop_processes
    if [ "$tap_failed" != 0 ]; then
        for file in "$TMP"/*.log; do
            [ ! -s "$file" ] || diag "the end of ${file##*/}:" "$(printf '\n' && tail -n 20 "$file")"
        done
    fi
    rm -rf "$TMP"
}
trap tap_cleanup EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

# ---- server and runner

# start_server [flag...]: on an own data directory and a port that the kernel picks; a second start
# in one test takes both again. Sets URL SERVER_PID TOKEN PROJECT RUNNER_TOKEN ADMIN_TOKEN, and the
# IRON_* variables for the CLI.
SERVER_DIR=$TMP/server SERVER_PORT=0
start_server() {
    mkdir -p "$SERVER_DIR"
    : >"$TMP/server.out"
    spawn server "$BIN/wrought-server" --listen "127.0.0.1:$SERVER_PORT" --data-dir "$SERVER_DIR" "$@"
    SERVER_PID=$SPAWNED
    wait_for 'the server listens' 20 server_settled
    URL=$(sed -n 's/^listening on \(http:[^ ]*\)$/\1/p' "$TMP/server.out")
    [ -n "$URL" ] || bail "the server did not start: $(tail -n 3 "$TMP/server.log")"
    SERVER_PORT=${URL##*:}
    TOKEN=$(jq -r .token "$SERVER_DIR/iron.json")
    PROJECT=$(jq -r .project_id "$SERVER_DIR/iron.json")
    RUNNER_TOKEN=$(<"$SERVER_DIR/runner.token")
    ADMIN_TOKEN=$(<"$SERVER_DIR/admin.token")
    export URL TOKEN PROJECT RUNNER_TOKEN ADMIN_TOKEN
    export IRON_HOST=127.0.0.1 IRON_PORT=$SERVER_PORT IRON_SCHEME=http
    export IRON_TOKEN=$TOKEN IRON_PROJECT_ID=$PROJECT
}
server_settled() { grep -q '^listening on ' "$TMP/server.out" || ended "$SERVER_PID"; }
stop_server() { end_process "$SERVER_PID"; }
kill9_server() { end_process "$SERVER_PID" KILL; }

# start_runner [flag...]: against the started server and the engine of DOCKER_HOST. A second start in
# one test takes its state directory again.
start_runner() {
    spawn runner "$BIN/wrought-runner" --server "$URL" --token-file "$SERVER_DIR/runner.token" \
        --slots 2 --cluster default --engine "$DOCKER_HOST" --state-dir "$TMP/runner" "$@"
    RUNNER_PID=$SPAWNED
}
stop_runner() { end_process "$RUNNER_PID"; }
kill9_runner() { end_process "$RUNNER_PID" KILL; }

# ---- HTTP

# api METHOD PATH [curl argument...]: with the project's token; a PATH without a leading / is one of
# the project's. Sets STATUS and BODY; the reply's exact bytes are in $TMP/body, its header fields in
# $TMP/headers. Another token: AUTH='OAuth x' api ...; none: AUTH= api ...
api() {
    local method=$1 path=$2 args=()
    shift 2
    [[ $path == /* ]] || path=/2/projects/$PROJECT/$path
    [ -z "${AUTH-x}" ] || args+=(-H "Authorization: ${AUTH-OAuth $TOKEN}")
    [[ " $* " != *" -d "* || " $* " == *Content-Type* ]] || args+=(-H 'Content-Type: application/json')
    : >"$TMP/body"
    STATUS=$(curl -sS --max-time 60 -X "$method" "${args[@]}" -o "$TMP/body" -D "$TMP/headers" \
        -w '%{http_code}' "$@" "$URL$path" 2>>"$TMP/curl.log")
    BODY=$(tr -d '\0' <"$TMP/body")
}

field() { jq -r "$1" "$TMP/body"; } # JQ-FILTER: a value of the last reply

# upload_image NAME IMAGE COMMAND: a code that is an image of its own.
upload_image() {
    api POST codes -d "$(jq -nc --arg n "$1" --arg i "$2" --arg c "$3" '{name:$n,image:$i,command:$c}')"
    [ "$STATUS" = 200 ] || diag "upload of $1: $STATUS $BODY"
}

# upload_script NAME STACK FILE: one script as a zip, run by the stack's interpreter.
upload_script() {
    local package=$TMP/package-$tap_count.zip
    rm -f "$package"
    zip -qj "$package" "$3"
    api POST codes -F "file=@$package;type=application/zip" -F "data=$(
        jq -nc --arg n "$1" --arg s "$2" --arg f "${3##*/}" '{name:$n,stack:$s,file_name:$f}')"
    [ "$STATUS" = 200 ] || diag "upload of $1: $STATUS $BODY"
}

# queue_task CODE [JSON]: the further fields of the task as an object. Sets TASK.
queue_task() {
    api POST tasks -d "$(jq -nc --arg n "$1" --argjson more "${2:-{\}}" '{tasks:[{code_name:$n}+$more]}')"
    TASK=$(field '.tasks[0].id // empty' 2>/dev/null)
    [ -n "$TASK" ] || diag "queueing $1: $STATUS $BODY"
}

task_status() { # ID
    api GET "tasks/$1"
    field .status
}
status_is() { [[ $(task_status "$1") =~ ^($2)$ ]]; }

# wait_status ID STATUS[|STATUS...] SECONDS: a check of its own.
wait_status() {
    local bad=0
    wait_for "task $1 is $2" "$3" status_is "$1" "$2" || bad=1
    api GET "tasks/$1"
    tap_result "$bad" "the task gets ${2//|/ or }" || diag "  $BODY"
}

task_log() { # ID: the log as it is
    curl -sS --max-time 120 -H "Authorization: OAuth $TOKEN" "$URL/2/projects/$PROJECT/tasks/$1/log"
}
