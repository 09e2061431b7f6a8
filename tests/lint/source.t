#!/usr/bin/env bash
# Every rule of rules.sh holds for the project.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/lint/rules.sh"
cd "$ROOT" || exit 1

for rule in $(all_rules); do
    is "$("$rule")" '' "${rule//_/ }"
done
done_testing
