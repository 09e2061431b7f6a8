#!/usr/bin/env bash
# IronWorker's own client for Node, the npm package iron_worker, as it was published: all that it is
# told is the iron.json that the server wrote. tests/compat/session.js is the program that uses it;
# the worker that it uploads uses the same package inside its task.
. "$(dirname "$0")/../lib.sh"
modules=${STATE:?make check-compat says where}/compat/node_modules
start_server
start_runner

# Where the client looks for it, and nothing else for it to find.
cp "$SERVER_DIR/iron.json" "$HOME/.iron.json"
unset "${!IRON_@}"

mkdir "$TMP/package"
cp -R "$modules" "$TMP/package/node_modules"
# The client's deflate (adm-zip 0.4.4) breaks what is compressed already, and the server refuses that.
find "$TMP/package" -name '*.png' -delete
cat >"$TMP/package/worker.js" <<'END'
var worker = require('iron_worker');
var params = worker.params();
console.log('hello, ' + params.who + ', from task ' + worker.taskId());
if (params.fail) {
  console.error('no luck today');
  process.exit(3);
}
END

# The client takes its template of __runner__.sh from the working directory.
cd "$modules/iron_worker" || bail 'the client is not installed: make check-compat does that'
export NODE_NO_WARNINGS=1 NODE_PATH=$modules
timeout 300 node --require "$ROOT/tests/compat/old-node.js" "$ROOT/tests/compat/session.js" "$TMP/package" \
    >"$TMP/checks" 2>"$TMP/session.log" || bail 'the session broke off'
while IFS=$'\t' read -r name wrong; do
    is "$wrong" '' "$name"
done <"$TMP/checks"
done_testing
