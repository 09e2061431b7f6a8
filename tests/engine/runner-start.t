#!/usr/bin/env bash
# The runner by itself: flags, its state directory, and what it says when engine or server are away.
. "$(dirname "$0")/../lib.sh"

runner=$BIN/wrought-runner
printf 'a-token\n' >"$TMP/token"
export WROUGHT_TOKEN_FILE=$TMP/token

exits 'an unknown flag is refused' 64 "$runner" --no-such-flag 1
like "$OUT" 'no-such-flag' 'and named'
WROUGHT_TOKEN_FILE='' exits 'the token file is needed' 64 "$runner" --state-dir "$TMP/a"
exits 'an engine address that is none is refused' 64 "$runner" --engine tcp://127.0.0.1:1 --state-dir "$TMP/a"
exits 'limits have a range' 64 "$runner" --memory 1K --state-dir "$TMP/a"
exits 'wrought-init must be there' 64 "$runner" --init "$TMP/nothing" --state-dir "$TMP/a"
like "$OUT" 'wrought-init' 'and is named'
ok 'help says what there is' "$runner" --help
like "$OUT" 'drain-timeout' 'with all options'

# ---- engine and server away
listening() { grep -q '^ready ' "$TMP/$1.out"; }
health() { curl -sS -o "$TMP/health" -w '%{http_code}' "$HEALTH/health" 2>>"$TMP/curl.log"; }
says_engine_is_away() { health >/dev/null && grep -q 'engine not answering.*none.sock' "$TMP/health"; }

spawn first "$runner" --server http://127.0.0.1:1 --engine "unix://$TMP/none.sock" --state-dir "$TMP/state" \
    --listen 127.0.0.1:0
first=$SPAWNED
wait_for 'the runner is ready' 20 listening first
HEALTH=$(sed -n 's/^listening on \(http:[^ ]*\)$/\1/p' "$TMP/first.out")
ok 'health names the engine that does not answer' wait_for 'the first ping' 20 says_engine_is_away
is "$(health)" 503 'and is 503'
is "$(jq -r .state "$TMP/health")" problem 'its state is problem'
is "$(jq -r .last_poll_age_ms "$TMP/health")" -1 'it has not polled'
like "$(curl -sS "$HEALTH/metrics")" 'wrought_runner_engine_up 0' 'metrics say the engine is down'

exits 'a second runner on the same state directory is refused' 65 \
    "$runner" --state-dir "$TMP/state" --engine "unix://$TMP/none.sock"
like "$OUT" 'another runner works in' 'and told why'

name=$(sed -n 's/^ready //p' "$TMP/first.out")
ok 'it ends on SIGTERM' end_process "$first"
is "$EXIT_CODE" 0 'with exit code 0'
spawn again "$runner" --server http://127.0.0.1:1 --engine "unix://$TMP/none.sock" --state-dir "$TMP/state"
wait_for 'the runner is ready again' 20 listening again
is "$(sed -n 's/^ready //p' "$TMP/again.out")" "$name" 'a restarted runner is the same one'
ok 'and ends again' end_process "$SPAWNED"

done_testing
