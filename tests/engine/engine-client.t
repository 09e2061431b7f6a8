#!/usr/bin/env bash
# The runner's engine client on a real engine: a C program that prints TAP itself.
set -euo pipefail
docker tag wrought-test/busybox:latest wrought/engine-client-test:latest
trap 'docker rmi wrought/engine-client-test:latest >/dev/null' EXIT
"${WROUGHT_BIN:-build}/tests/engine/test_engine_client"
