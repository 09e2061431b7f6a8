#!/usr/bin/env bash
# The verbs for code packages against a real server.
. "$(dirname "$0")/../lib.sh"
start_server
wrought() { timeout 60 "$BIN/wrought" "$@"; }

printf 'echo one\n' >hello.sh
wrought upload hello.sh >/dev/null && printf 'echo two\n' >hello.sh
ok 'a code has two revisions' wrought upload hello.sh --retries 2 --env A=b
api GET codes
id=$(field '.codes[0].id')

ok 'info shows it by name' wrought info code hello
is "$(head -n 3 <<<"$OUT")" "------> Creating client
        Project 'default' with id='$PROJECT'
------> Getting code package info" '… opens as iron_worker did'
like "$OUT" "        id               $id
        name             hello
        revision         2
        uploaded         20[-0-9T:.]+Z
        max concurrency  0
        retries          2
        retries delay    0ms" '… and has its rows'
is "$(wrought info code "$id" --json | jq -r .name)" hello '… or by id'
like "$(wrought list)" "$id +hello +2 " 'list is codes'

ok 'revisions are listed' wrought revisions hello
like "$OUT" 'REVISION +ID +AGE +SIZE +RUNS IN.*2 +[0-9a-f]{24} .*B +sh.*1 +[0-9a-f]{24} ' '… newest first'
is "$(wrought revisions hello -n 1 --json | jq -r '[.revisions[].rev]|@csv')" 2 '… by the page'

ok 'the current revision is downloaded' wrought download hello
is "$(unzip -p hello_2.zip hello.sh)" 'echo two' '… into a file of its name'
ok 'an old one' wrought download hello --revision 1 -o old.zip
is "$(unzip -p old.zip hello.sh)" 'echo one' '… is what it was'
wrought download hello -o - >stdout.zip 2>/dev/null
ok '… or to stdout' cmp stdout.zip hello_2.zip
exits 'a revision that there is not' 66 wrought download hello --revision 9
is "$(echo hello_9*)" 'hello_9*' '… leaves no file'

ok 'it is paused' wrought pause hello
like "$OUT" 'Task queue and schedules for hello paused successfully' '… as iron_worker said it'
ok 'again' wrought pause hello
like "$OUT" 'Task queue and schedules for hello are already paused' '… it is already'
like "$(wrought codes)" 'hello +2 +paused' '… and codes shows it'
like "$(wrought info code hello)" 'paused +its tasks wait' '… and info'
ok 'it is resumed' wrought resume hello
like "$OUT" 'Task queue and schedules for hello resumed successfully' '… likewise'
is "$(wrought resume hello --json | jq -r .msg)" 'Already resumed' '… and in JSON'

task=$(wrought queue hello --json | jq -r '.tasks[0].id')
ok 'info knows a task' wrought info task "$task"
like "$OUT" "------> Getting task info
        id               $task
        code package     hello" '… in rows as well'
ok 'it is deleted' wrought delete hello
is "$(task_status "$task")" cancelled '… with what was queued'
exits 'what is deleted' 66 wrought info code hello
like "$OUT" 'there is no code "hello"' '… is gone by name'
exits '… and by id' 66 wrought info code "$id"
done_testing
