#!/bin/sh
# Proves the stack: says which shell runs, and what the task was given.
echo "hello from sh: bash $(bash -c 'echo "$BASH_VERSION"'), $(curl --version | cut -d' ' -f1-2 | head -n 1), uid $(id -u)"
echo "arguments: $*"
if [ -n "${PAYLOAD_FILE:-}" ]; then
    echo "payload: $(cat "$PAYLOAD_FILE")"
fi
