#!/usr/bin/env bash
# Proves the stack: says what runs it, and what the task was given.
set -euo pipefail
words=("$@")
echo "hello from sh: bash $BASH_VERSION, uid $UID"
echo "arguments: ${words[*]}"
if [[ -n ${PAYLOAD_FILE:-} ]]; then
    echo "payload: $(<"$PAYLOAD_FILE")"
fi
