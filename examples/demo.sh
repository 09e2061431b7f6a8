#!/usr/bin/env bash
# demo.sh demo|run: what `make demo` and `make run` do once the programs are built.
#
# Both find or start an engine, build a first stack, start server and runner, and upload a worker.
# `demo` then runs one task, shows a schedule firing and stops everything; `run` serves until Ctrl-C
# and keeps its data. All of it lives under STATE (.state): engine/ if a private one is needed, demo/
# or run/ for server and runner.
set -euo pipefail
root=$(dirname "$(dirname "$(realpath "$0")")")
cd "$root"

mode=${1:-}
[ "$mode" = demo ] || [ "$mode" = run ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" && exit 64; }
BUILD=$(realpath -m "${BUILD:-build}")
STATE=$(realpath -m "${STATE:-.state}")
export STATE
unset "${!IRON_@}" # the demonstration has a project of its own
dir=$STATE/$mode stack=python-3.11
private='' server='' runner='' finished=''

# ---- words for people

bold='' dim='' red='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' plain=$'\e[0m'
fi
title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
fact() { printf '  %-10s %s\n' "$1" "$2"; }
shown() { # run a command as a person would type it
    local word line=
    for word in "${@#"$root/"}"; do
        [[ $word =~ ^[A-Za-z0-9_./:=-]+$ ]] || word="'$word'"
        line+=" $word"
    done
    printf '\n%s$%s%s\n' "$dim" "${line/ $BUILD\// }" "$plain"
    "$@"
}
die() {
    printf '%s%s: %s%s\n' "$red" "$mode" "$*" "$plain" >&2
    exit 1
}

# ---- starting and stopping

alive() { kill -0 "$1" 2>/dev/null; }

stop() { # PID SECONDS
    local deadline=$((SECONDS + $2))
    [ -n "$1" ] && alive "$1" || return 0
    kill -TERM "$1" 2>/dev/null || true
    while alive "$1"; do
        ((SECONDS < deadline)) || kill -KILL "$1" 2>/dev/null || true
        sleep 0.1
    done
    wait "$1" 2>/dev/null || true
}

show_logs() {
    local log
    for log in "$dir"/*.log; do
        [ -s "$log" ] || continue
        printf '\n%sThe end of %s:%s\n' "$bold" "$log" "$plain"
        tail -n 15 "$log"
    done >&2
}

# In this order: the runner gives back what it holds while there is a server to take it.
clean_up() {
    local rc=$?
    trap '' INT TERM
    [ -n "$finished" ] || [ "$rc" = 130 ] || show_logs
    stop "$runner" 30
    stop "$server" 15
    [ -z "$private" ] || docker/engine.sh stop "$private" || true
    exit "$rc"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Sessions of their own: Ctrl-C is for this script, which then stops them in order.
start() { # NAME cmd...: its pid in $started
    local name=$1
    shift
    setsid "$@" >"$dir/$name.out" 2>"$dir/$name.log" </dev/null 9>&- &
    started=$!
}

engine_answers() { timeout 10 docker -H "$1" version >/dev/null 2>&1; }

find_engine() {
    local default=unix:///var/run/docker.sock from
    if [ -n "${DOCKER_HOST:-}" ]; then
        engine_answers "$DOCKER_HOST" || die "no engine answers at DOCKER_HOST=$DOCKER_HOST."
        from='named by DOCKER_HOST'
    elif engine_answers "$default"; then
        DOCKER_HOST=$default
        from='already running'
    else
        private=$STATE/engine
        DOCKER_HOST=$(docker/engine.sh start "$private" 9>&-)
        from='private, started for this'
    fi
    export DOCKER_HOST
    fact Engine "Docker $(docker version -f '{{.Server.Version}}') at $DOCKER_HOST ($from)"
}

start_server() {
    local port=8080 deadline=$((SECONDS + 20))
    ! (: </dev/tcp/127.0.0.1/8080) 2>/dev/null || port=0
    start server "$BUILD/wrought-server" --listen "127.0.0.1:$port" --data-dir "$dir/data"
    server=$started
    until url=$(sed -n 's/^listening on //p' "$dir/server.out") && [ -n "$url" ]; do
        alive "$server" || die 'the server ended at once.'
        ((SECONDS < deadline)) || die 'the server is not ready after 20 s.'
        sleep 0.05
    done
    fact Server "$url, data in $dir/data"
}

start_runner() {
    start runner "$BUILD/wrought-runner" --server "$url" --token-file "$dir/data/runner.token" \
        --slots 2 --cluster default --engine "$DOCKER_HOST" --state-dir "$dir/runner"
    runner=$started
    fact Runner '2 slots in cluster default'
}

# The CLI finds iron.json in the current directory; the server has just written one for its project.
wrought() { (cd "$dir/data" && shown "$BUILD/wrought" "$@"); }

# ---- the two modes

run_a_task() {
    local since rc=0 task container
    since=$(date +%s)
    # Its stdout is the log alone; the task's id and how it ended are on stderr.
    wrought queue hello --payload '{"name": "Ada"}' --wait 2>&1 | tee "$dir/queue.txt" || rc=$?
    task=$(sed -nE "s/.*queued with id='([0-9a-f]{24})'.*/\1/p" "$dir/queue.txt")
    [ -n "$task" ] || die 'no task was queued.'
    [ "$rc" = 0 ] || die "task $task ended with exit code $rc."
    # The engine's own word for it: which container of this task started meanwhile.
    container=$(docker events --since "$since" --until "$(($(date +%s) + 1))" \
        --filter type=container --filter event=start --filter "label=wrought.task=$task" \
        --format '{{.Actor.ID}}' | head -n 1 | cut -c 1-12)
    wrought tasks
    title 'What happened'
    fact Task "$task"
    fact Image "wrought/$stack ($(docker image inspect -f '{{slice .Id 7 19}}' "wrought/$stack"))"
    fact Container "${container:-none was started by the engine}"
    fact 'Exit code' "$rc"
    [ -n "$container" ] || die 'the task did not run in a container.'
}

# A schedule without a time is due at once: it fires, and its task runs like any other.
show_a_schedule() {
    local label='Morning greeting' deadline=$((SECONDS + 60))
    wrought schedule hello --label "$label" --payload '{"name": "Grace"}'
    until (cd "$dir/data" && "$BUILD/wrought" tasks --label "$label" --status complete) | grep -q "$label"; do
        ((SECONDS < deadline)) || die 'the schedule did not fire within 60 s.'
        sleep 0.2
    done
    wrought schedules
    wrought tasks
}

demo() {
    run_a_task
    show_a_schedule
    title 'How to go on'
    fact 'make run' 'the same set-up, serving until Ctrl-C'
    fact examples/ 'workers to copy'
    fact README.md 'a tour'
}

serve() {
    title "Serving at $url until Ctrl-C. In another terminal:"
    printf '  %s\n' "cp $dir/data/iron.json .      # the address and token of project default" \
        "export PATH=$BUILD:\$PATH" \
        "wrought queue hello --payload '{\"name\": \"Ada\"}' --wait"
    trap 'finished=1; exit 0' INT TERM
    wait -n "$server" "$runner" || true
    die 'server or runner ended by itself.'
}

mkdir -p "$STATE"
exec 9>"$STATE/demo.lock"
flock -n 9 || die 'another make demo or make run is at work in this checkout.'
[ "$mode" = run ] || rm -rf "$dir"
mkdir -p "$dir"
rm -f "$dir"/*.out "$dir"/*.log

title 'Setting up'
find_engine
stacks/build.sh "$stack" | sed 's/^  /  Stack      /'
start_server
start_runner
wrought upload "$root/examples/hello/hello.py" --name hello --stack "$stack"
if [ "$mode" = demo ]; then demo; else serve; fi
finished=1
