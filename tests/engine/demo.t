#!/usr/bin/env bash
# make demo and make run, after the build: examples/demo.sh shows a task that ran in a container, serves
# until Ctrl-C, says what went wrong, and stops all that it started.
. "$(dirname "$0")/../lib.sh"
export BUILD=$BIN STATE=$TMP/state

started_by_demo() { grep -lzf <(printf %s "$STATE") /proc/[0-9]*/cmdline 2>/dev/null | wc -l; }
nothing_left() { [ "$(started_by_demo)" = 0 ]; }
containers() { docker ps -aq | wc -l; }
before=$(containers)

ok 'demo ends well' "$ROOT/examples/demo.sh" demo
like "$OUT" "Engine +Docker .* at $DOCKER_HOST \(named by DOCKER_HOST\)" 'it takes the engine that DOCKER_HOST names'
like "$OUT" 'Hello, Ada!' 'it shows the log of the task'
like "$OUT" 'Task +[0-9a-f]{24}' '… its id'
like "$OUT" 'Image +wrought/python-3.11 \([0-9a-f]{12}\)' '… its image'
like "$OUT" 'Container +[0-9a-f]{12}' '… its container'
like "$OUT" 'Exit code +0' '… and its exit code'
like "$OUT" 'Morning greeting' 'it shows a schedule that fired'
ok 'it leaves no process' nothing_left
is "$(containers)" "$before" 'it leaves no container'

exits 'an engine that does not answer is an error' 1 \
    env DOCKER_HOST="unix://$TMP/none.sock" "$ROOT/examples/demo.sh" demo
like "$OUT" "no engine answers at DOCKER_HOST=unix://$TMP/none.sock" '… that is named'

spawn run env -i PATH="$PATH" HOME="$HOME" BUILD="$BUILD" STATE="$STATE" DOCKER_HOST="$DOCKER_HOST" \
    "$ROOT/examples/demo.sh" run
run=$SPAWNED
serving() { grep -q 'until Ctrl-C' "$TMP/run.out"; }
ok 'run comes to serve' wait_for 'make run serves' 60 serving
ok 'the CLI reaches it with the iron.json that it names' \
    env -C "$STATE/run/data" "$BIN/wrought" codes
like "$OUT" 'hello' '… and sees the uploaded worker'
exits 'a second one in the same checkout is refused' 1 "$ROOT/examples/demo.sh" demo
like "$OUT" 'another make demo or make run is at work' '… and it says why'
ok 'it ends when told to' end_process "$run" TERM
is "$EXIT_CODE" 0 '… with exit code 0'
ok '… and leaves no process' nothing_left
is "$(containers)" "$before" '… and no container'
done_testing
