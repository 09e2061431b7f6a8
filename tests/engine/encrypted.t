#!/usr/bin/env bash
# Encrypted payloads: what `queue --encryption-key-file` makes is text to the server, and plain text
# to the task on a runner that has the private key.
. "$(dirname "$0")/../lib.sh"
export PATH=$BIN:$PATH
openssl genrsa -out key.pem 2048 2>>openssl.log
openssl rsa -in key.pem -pubout -out key.pub 2>>openssl.log

start_server
exits 'a runner does not start with a key that it cannot use' 65 \
    wrought-runner --server "$URL" --token-file "$SERVER_DIR/runner.token" --engine "$DOCKER_HOST" \
    --state-dir "$TMP/other" --decryption-key-file key.pub
like "$OUT" 'key\.pub: no private key' '… and says which'
start_runner --decryption-key-file key.pem
upload_image show wrought-test/busybox 'sh -c "cat $PAYLOAD_FILE"'

exits 'an encrypted payload is queued, and the task' 0 \
    wrought queue show --payload '{"secret":"käse"}' --encryption-key-file key.pub --wait
like "$OUT" '\{"secret":"käse"\}' '… reads it in plain'
api GET tasks?code_name=show
api GET "tasks/$(field '.tasks[0].id')"
like "$(field .payload)" '^[A-Za-z0-9+/=]{340,}$' 'the server has never seen more than base64'

head -c 100000 /dev/urandom >bytes
exits 'bytes that are no text' 0 wrought queue show -f bytes --encryption-key="$(<key.pub)" --json
TASK=$(jq -r '.tasks[0].id' <<<"$OUT")
wait_status "$TASK" complete 60
is "$(task_log "$TASK" | sha256sum)" "$(sha256sum <bytes)" '… can be sent, too'

queue_task show '{"payload":"plain"}'
wait_status "$TASK" complete 60
is "$(task_log "$TASK")" plain 'a plain payload stays what it is'

sealed=$(wrought queue show --payload altered --delay 1h --encryption-key-file key.pub --json |
    jq -r '.tasks[0].id')
api GET "tasks/$sealed"
queue_task show "$(field '{payload: (.payload | .[:350] + (if .[350:351] == "A" then "B" else "A" end) + .[351:])}')"
wait_status "$TASK" error 60
like "$BODY" 'payload is damaged' 'an altered one fails with that word, and is not handed on'
done_testing
