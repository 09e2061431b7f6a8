#!/usr/bin/env bash
# docker/packages.sh: names and installs what is missing, that alone, and nothing when nothing is.
. "$(dirname "$0")/../lib.sh"

# A machine of our own: its packages are in $TMP/installed, what apt-get was told in $TMP/apt.
mkdir -p "$TMP/docker" "$TMP/bin"
cp "$ROOT/docker/packages.sh" "$TMP/docker/"
printf '# a comment\n\nbuild gcc\nbuild curl-a|curl-b\nrun engine-a|engine-b\ntest jq\n' >"$TMP/docker/packages.txt"
printf '#!/bin/sh\ncat "%s/installed"\n' "$TMP" >"$TMP/bin/dpkg-query"
printf '#!/bin/sh\necho "$*" >>"%s/apt"\n' "$TMP" >"$TMP/bin/apt-get"
printf '#!/bin/sh\necho 0\n' >"$TMP/bin/id"
chmod +x "$TMP"/bin/*
export PATH=$TMP/bin:$PATH
packages() { "$TMP/docker/packages.sh" "$@"; }
installed() { [ $# = 0 ] || printf 'ii  %s\n' "$@"; } >"$TMP/installed"

installed
is "$(packages missing build run test | xargs)" 'gcc curl-a engine-a jq' 'without any, all are missing'
is "$(packages missing run)" engine-a 'a group is asked for alone'
exits 'require fails' 1 packages require build
is "$OUT" $'Missing Debian packages: gcc curl-a\nInstall them with: make deps (as root)' '… with what and how'
exits 'require of the tests fails' 1 packages require test
like "$OUT" 'make deps-test' '… with the target that installs those'

installed gcc curl-b engine-b jq
is "$(packages missing build run test)" '' 'an alternative will do'
ok 'require is content' packages require build run test
ok 'install is, too' packages install build run test
ok '… and asks apt-get nothing' test ! -e "$TMP/apt"

printf 'ii  gcc, \nii  toolbox, curl-b (= 1.2), engine-x, jq\n' >"$TMP/installed"
is "$(packages missing build test)" '' 'what another package provides is there'
is "$(packages missing run)" engine-a '… and what none does is not'

printf 'rc  gcc\nii  curl-a\n' >"$TMP/installed"
is "$(packages missing build)" gcc 'a package that was removed is missing'
ok 'install installs' packages install build
is "$(tail -n 1 "$TMP/apt")" 'install -y --no-install-recommends gcc' '… what is missing, and that alone'

printf '#!/bin/sh\necho "no route to mirror"; exit 100\n' >"$TMP/bin/apt-get"
exits 'a failure of apt-get is one of install' 1 packages install build
like "$OUT" 'no route to mirror.*could not install' '… with its last words'
printf '#!/bin/sh\necho 1000\n' >"$TMP/bin/id"
exits 'without root nothing is installed' 1 packages install build
like "$OUT" 'Only root can install packages; missing: gcc' '… and it says so'
done_testing
