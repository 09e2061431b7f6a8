#!/usr/bin/env bash
# Remote builds: a task makes the package, which later tasks start with. docs/worker-files.md
. "$(dirname "$0")/../lib.sh"
export PATH=$BIN:$PATH
start_server
start_runner

builds() { # of CODE: how many tasks its builder has had
    api GET "tasks?code_name=$1::builder&per_page=100"
    field '.tasks | length'
}
rev() { # of CODE: its current revision; nothing without one
    api GET codes
    field ".codes[] | select(.name == \"$1\") | .rev"
}
run_log() { wrought queue "$1" --wait 2>/dev/null; }

# ---- a .worker file with a build

cat >made.worker <<'EOW'
runtime 'sh'
stack 'sh'
exec 'made.sh'
file 'source.txt'
build 'tr a-z A-Z <source.txt >made.txt && mkdir bin && ln -s ../made.txt bin/link && echo "built by $(id -u)"'
EOW
echo 'one two' >source.txt
printf 'cat made.txt bin/link\nls\n' >made.sh
exits 'an upload with a build succeeds' 0 wrought upload made
like "$OUT" 'built by 10001' 'its log is shown to the uploader'
like "$OUT" "revision='1'" '… and at the end its revision'
exits 'a task of it' 0 run_log made
like "$OUT" $'ONE TWO\nONE TWO' '… has what the build made, links followed'
unlike "$OUT" '__build__|task_config' '… and nothing of the build itself'

is "$(builds made)" 1 'one task has built it'
exits 'the same once more' 0 wrought upload made
like "$OUT" "revision='2'" '… is a revision at once'
is "$(builds made)" 1 '… without a build'

# ---- a build that fails

echo 'three' >source.txt
sed -i "s/^build.*/build 'echo no luck; exit 7'/" made.worker
exits "a failed build ends the upload with the build's code" 7 wrought upload made
like "$OUT" 'no luck' '… after its log'
like "$OUT" $'exit code 7\nRevision 2 stays the current one|exit code 7.*Revision 2 stays' '… and says what is current'
is "$(rev made)" 2 'the old revision is current'
exits 'and runs' 0 run_log made
like "$OUT" 'ONE TWO' '… as before'

mkdir dir && echo 'echo $(cat made)' >dir/main.sh
exits 'a first build that fails' 3 wrought upload dir --name first --stack sh --build 'exit 3'
like "$OUT" 'no revision to run' '… leaves nothing to run'
is "$(rev first)" '' '… and no code in the list'
queue_task first 2>/dev/null
is "$STATUS" 404 '… nor one to queue'
like "$BODY" 'first build has not succeeded' '… for that reason'

# ---- --build on a folder

exits 'a folder is built by --build' 0 wrought upload dir --name first --stack sh \
    --build "echo 'it'\\''s built' >made"
exits 'and runs' 0 run_log first
like "$OUT" "it's built" '… with what was made'
exits 'a package that holds a link to the outside' 125 wrought upload dir --name first --stack sh \
    --build 'ln -s /etc/passwd out'
like "$OUT" 'the link "out" to "/etc/passwd"' '… is refused with its name'
is "$(rev first)" 1 '… and changes nothing'

# ---- php with composer, as it was announced

cat >composer.phar <<'EOP'
<?php
if ($argv[1] !== 'install') exit(1);
@mkdir('vendor/bin', 0755, true);
file_put_contents('vendor/autoload.php', "<?php function dep() { return 'from vendor'; }\n");
file_put_contents('vendor/tool', "tool\n");
symlink('../tool', 'vendor/bin/tool');
echo "Installing dependencies\n";
EOP
echo '<?php require "vendor/autoload.php"; echo dep(), PHP_EOL;' >hello.php
cat >php.worker <<'EOW'
runtime "php"
file "composer.phar"
build "php composer.phar install"
exec "hello.php"
EOW
exits 'a php worker with composer' 0 wrought upload php
like "$OUT" 'Installing dependencies' '… is installed on the server'
exits 'and its task' 0 run_log php
like "$OUT" 'from vendor' '… loads what composer made'

# ---- registries that cannot be reached: the package manager's own words

printf 'runtime "python"\nexec "a.py"\npip "nothing-like-this"\n' >pip.worker
echo 'print(1)' >a.py
export_env() { wrought upload "$@" --env PIP_INDEX_URL=http://127.0.0.1:9/simple --env PIP_RETRIES=0; }
exits 'pip without an index' 1 export_env pip
like "$OUT" 'Connection refused|Could not find a version' '… says so itself'
cat >gem.worker <<'EOW'
runtime "ruby"
exec "a.rb"
gem "nothing-like-this"
set_env "http_proxy", "http://127.0.0.1:9"
set_env "https_proxy", "http://127.0.0.1:9"
EOW
echo 'puts 1' >a.rb
wrought upload gem >gem.out 2>&1
isnt $? 0 'gem without an index fails'
like "$(<gem.out)" 'ERROR: .*nothing-like-this' '… in its own words'
mkdir npm && echo 'console.log(1)' >npm/main.js
echo '{"dependencies":{"nothing-like-this":"1"}}' >npm/package.json
wrought upload npm --stack node-18 --runtime node --file-name main.js \
    --build 'npm install --registry=http://127.0.0.1:9/ --fetch-retries=0' >npm.out 2>&1
isnt $? 0 'npm without a registry fails'
like "$(<npm.out)" 'ECONNREFUSED' '… in its own words'

# ---- a runner that dies in the middle

mkdir slow && echo 'cat result' >slow/main.sh
spawn uploader wrought upload slow --stack sh \
    --build 'mkfifo gate; echo begun; read -r word <gate; rm gate; echo "$word" >result'
uploader=$SPAWNED
begun() { grep -q begun "$TMP/uploader.out"; }
ok 'a long build runs' wait_for 'the build has begun' 60 begun
kill9_runner
start_runner
docker exec "$(docker ps -q --filter label=wrought.kind=task)" sh -c 'echo done >/task/gate'
wait "$uploader"
is $? 0 'the upload survives a runner that is killed in the middle'
exits 'and its task' 0 run_log slow
like "$OUT" 'done' '… has the result'
done_testing
