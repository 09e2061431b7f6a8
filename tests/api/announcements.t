#!/usr/bin/env bash
# The commands of IronWorker's announcements and manuals, as they were printed.
. "$(dirname "$0")/../lib.sh"
start_server
mkdir bin && ln -s "$BIN/wrought" bin/iron_worker && ln -s "$BIN/wrought" bin/iron
export PATH="$TMP/bin:$PATH"
curl -sS -H "Authorization: OAuth $RUNNER_TOKEN" -H 'Content-Type: application/json' "$URL/runner/1/register" -d \
    '{"runner":"hand","cluster":"default","slots":1,"stacks":["sh","ruby-3.1","classic"],"engine_version":"1"}' >registered.json

# ---- a .worker file

cat >segment.worker <<'WORKER'
# Segment's webhook worker
runtime "ruby"
name "segment"
exec "segment.rb"
WORKER
printf 'puts "hello"\n' >segment.rb
ok 'iron_worker upload segment' iron_worker upload segment
like "$OUT" "------> Creating client
        Project 'default' with id='$PROJECT'
------> Creating code package
        Code package name is 'segment'
------> Uploading code package 'segment'
        Code package uploaded with id='[0-9a-f]{24}' and revision='1'" '… says what it said'
api GET codes
api GET "codes/$(field '.codes[0].id')/download"
is "$(unzip -p "$TMP/body" segment.rb)" 'puts "hello"' '… and the package holds the worker'

mkdir -p app/workers app/models app/lib && printf 'puts 1\n' >app/workers/main_worker.rb
printf 'class Model; end\n' >app/models/model.rb && printf '{}\n' >app/lib/config.json
cat >app/workers/MainWorker.worker <<'WORKER'
runtime 'ruby'
exec 'main_worker.rb'
dir '../models'
file '../lib/config.json', 'lib' # beside it
WORKER
ok 'MainWorker, with dir and file' iron_worker upload app/workers/MainWorker
like "$OUT" "Code package name is 'MainWorker'" '… is named like its file'
api GET codes
id=$(field '.codes[] | select(.name == "MainWorker") | .id')
api GET "codes/$id/download"
is "$(unzip -Z1 "$TMP/body" | grep -c -e '^models/model.rb$' -e '^lib/config.json$' -e '^main_worker.rb$')" 3 \
    '… and holds what it names'

printf 'runtime "ruby"\nstack "ffmpeg-2.3"\nexec "segment.rb"\n' >video.worker
exits 'a stack that nobody has' 65 iron_worker upload video
like "$OUT" 'ffmpeg-2\.3.*classic.*ruby-3\.1.*sh' '… is refused with those that there are'

# ---- queueing

ok 'iron_worker queue segment --timeout 7200' iron_worker queue segment --timeout 7200
like "$OUT" "------> Queueing task
        Code package 'segment' queued with id='([0-9a-f]{24})'" '… says what it said'
task=${BASH_REMATCH[1]}
is "$(iron_worker status "$task" --json | jq .timeout)" 7200 '… and may run for two hours'
curl -sS "$URL/2/projects/$PROJECT/tasks?oauth=$TOKEN" -H 'Content-Type: application/json' \
    -d '{"tasks":[{"code_name":"segment","payload":"{\"x\":1}"}]}' >body
like "$(<body)" '^\{"msg":"Queued up","tasks":\[\{"id":"[0-9a-f]{24}"\}\]\}' 'the curl call with ?oauth='

ok 'iron_worker retry' iron_worker retry "$task"
like "$OUT" "------> Retrying task with id='$task'
        Task retried with id='([0-9a-f]{24})'" '… says what it said'
is "$(iron_worker status "${BASH_REMATCH[1]}" --json | jq -r '[.original_task_id,.timeout]|@csv')" \
    "\"$task\",7200" '… and the new task is the old one again'
ok 'iron_worker webhook segment' iron_worker webhook segment
like "$OUT" "You can invoke your worker by POSTing to the following URL
        (http[^ ]*)" '… prints an address'
curl -sS -d 'any body' "${BASH_REMATCH[1]}" >body
like "$(<body)" '"msg":"Queued up\."' '… to which anybody may post'
is "$(iron_worker status "$(jq -r .id body)" --json | jq -r .payload)" 'any body' '… a payload'

# ---- the Go client

ok 'iron worker queue' iron worker queue -payload '{}' -label go -n 3 segment
is "$(grep -c "        Queued task with id='[0-9a-f]\{24\}'" <<<"$OUT")" 3 '… queues three'
task=$(sed -n "s/.*with id='\(.*\)'/\1/p" <<<"$OUT" | tail -n 1)
ok 'iron worker status' iron worker status "$task"
is "$(tail -n 1 <<<"$OUT")" '        queued' '… is a word'
zip -q hello.zip segment.rb
ok 'iron worker upload' iron worker upload -name hello -zip hello.zip -e A=b acme/ruby ruby hello.rb -x
like "$OUT" "----->  Uploading worker 'hello'
        Uploaded code package with id='([0-9a-f]{24})'" '… says what it said'
api GET "codes/${BASH_REMATCH[1]}"
is "$(field '[.image,.command,.env_vars.A]|@csv')" '"acme/ruby","ruby hello.rb -x","b"' '… and the code is that'
ok 'iron register' iron -token "$TOKEN" -project-id "$PROJECT" register acme/thumb:2
like "$OUT" "----->  Registering worker 'acme/thumb'
        Registered code package with id='[0-9a-f]{24}'" '… says what it said'
done_testing
