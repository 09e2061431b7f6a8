#!/usr/bin/env bash
# Net sandboxes on a real engine: a C program that prints TAP itself. It runs in images of its own.
set -euo pipefail
trap 'docker rmi wrought/sandbox:0123456789ab >/dev/null' EXIT
build=${WROUGHT_BIN:-build}
WROUGHT_INIT=$build/wrought-init "$build/tests/engine/test_sandbox"
