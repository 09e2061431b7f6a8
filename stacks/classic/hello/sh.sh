#!/bin/sh
# Proves the stack: says what runs it, and what the task was given.
echo "hello from classic: sh, uid $(id -u)"
echo "arguments: $*"
if [ -n "${PAYLOAD_FILE:-}" ]; then
    echo "payload: $(cat "$PAYLOAD_FILE")"
fi
