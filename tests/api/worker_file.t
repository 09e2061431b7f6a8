#!/usr/bin/env bash
# `iron_worker upload segment` with a segment.worker beside it, and what comes back from the server.
. "$(dirname "$0")/../lib.sh"
start_server
ln -s "$BIN/wrought" "$TMP/iron_worker"
mkdir "$TMP/app" "$TMP/app/models"
cd "$TMP/app" || exit 1
printf 'echo "segment of $(cat models/user)"\n' >segment.sh
printf 'ann\n' >models/user
cat >segment.worker <<'END'
# as it was announced
runtime "sh"
exec "segment.sh"
dir 'models'
exec "other.sh"
END

out=$(timeout 60 ../iron_worker upload segment 2>"$TMP/stderr")
is "$?" 0 'upload NAME finds NAME.worker'
like "$out" "Code package name is 'segment'" 'and names the code after it'
like "$(<"$TMP/stderr")" 'Warning: segment.worker:5:1: this exec is ignored' 'warnings go to stderr'

id=${out#*"uploaded with id='"}
curl -sS --max-time 60 -H "Authorization: OAuth $TOKEN" -o "$TMP/back.zip" \
    "$URL/2/projects/$PROJECT/codes/${id%%"'"*}/download"
mkdir "$TMP/task"
(cd "$TMP/task" && python3 -m zipfile -e "$TMP/back.zip" .)
is "$(sh "$TMP/task/__runner__.sh" -d "$TMP/task/" -id 1)" 'segment of ann' 'the package of the server runs'

printf 'exec "segment.sh"\nbuild "make"\n' >built.worker
spawn builder timeout 60 ../iron_worker upload built.worker
queued() {
    api GET 'tasks?code_name=built::builder'
    [ "$(field '.tasks | length')" = 1 ]
}
ok 'a file that needs a build queues one' wait_for 'a task of its builder' 20 queued
api POST "tasks/$(field '.tasks[0].id')/cancel"
rc=0
wait "$SPAWNED" || rc=$?
is "$rc" 130 'the uploader waits for it, and ends as it does'
like "$(<"$TMP/builder.log")" 'There is no revision to run yet' 'and says what that means'
done_testing
