#!/usr/bin/env bash
# run.sh GROUP [FILE...]: run the tests of a group with prove; make check-GROUP builds what it needs
# and calls this. Groups: lint, unit, api, engine, compat. FILEs narrow it down; PROVE_FLAGS=-v shows all.
#
# BUILD (build) has the programs, STATE (.state) the engine of the tests with its images.
# run.sh preflight: can the whole of make check run here? One sentence and exit 1 if not.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."

BUILD=$(realpath -m "${BUILD:-build}")
STATE=$(realpath -m "${STATE:-.state}")
export STATE WROUGHT_BIN=$BUILD

die() {
    printf 'make check: %s\n' "$*" >&2
    exit 1
}

# The sanitizers' shadow memory does not fit every randomized address layout (gcc 12 on new kernels).
prove_them() {
    local jobs=$1 fixed=()
    shift
    [ $# -gt 0 ] || die 'there are no tests to run.'
    ! setarch -R true 2>/dev/null || fixed=(setarch -R)
    export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=1}
    export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}
    export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1}
    # shellcheck disable=SC2086  # flags are words
    "${fixed[@]}" prove --jobs "$jobs" ${PROVE_FLAGS:-} "$@"
}

# run_files JOBS [FILE...] -- PATTERN...: the files, or without any, those of the patterns.
run_files() {
    local jobs=$1 list=() pattern file
    shift
    while [ "$1" != -- ]; do
        list+=("$1")
        shift
    done
    shift
    if [ ${#list[@]} = 0 ]; then
        for pattern in "$@"; do
            while read -r file; do list+=("$file"); done < <(compgen -G "$pattern" | grep -v '\.d$')
        done
    fi
    prove_them "$jobs" "${list[@]}"
}

preflight() {
    if [ -n "${DOCKER_HOST:-}" ]; then
        timeout 10 docker version >/dev/null 2>&1 || die "no engine answers at DOCKER_HOST=$DOCKER_HOST."
        return
    fi
    [ "$(id -u)" = 0 ] ||
        die 'the tests on a real engine start one of their own, which needs root (or set DOCKER_HOST).'
    unshare --net --mount --pid --fork true 2>/dev/null ||
        die 'the tests on a real engine need namespaces, and this machine allows none (or set DOCKER_HOST).'
}

own_engine() {
    mkdir -p "$STATE"
    exec 8>"$STATE/engine-test.lock"
    flock -n 8 || {
        printf 'Waiting for another run of the engine tests in this checkout to end.\n' >&2
        flock 8
    }
    trap 'docker/engine.sh stop "$STATE/engine-test"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    DOCKER_HOST=$(docker/engine.sh start "$STATE/engine-test" 8>&-)
    export DOCKER_HOST
    # Images are kept from run to run; containers and volumes of one that was killed are not.
    docker ps -aq | xargs -r docker rm -fv >/dev/null
    docker volume ls -q | xargs -r docker volume rm -f >/dev/null
}

# An engine with the test image and the stacks, all of them if none is named.
ready_engine() {
    preflight
    docker/packages.sh require run test
    [ -n "${DOCKER_HOST:-}" ] || own_engine
    printf 'Engine %s at %s; images:\n' "$(docker version -f '{{.Server.Version}}')" "$DOCKER_HOST"
    tests/images.sh
    stacks/build.sh "$@"
}

engine() {
    ready_engine
    run_files 1 "$@" -- 'tests/engine/*.t'
}

# The clients that tests/compat pins, from their registry. They stay in STATE: a second run needs no
# network. npm writes its own list last, and trusts what the machine does.
clients() {
    local dir=$STATE/compat lock=package-lock.json
    docker/packages.sh require compat
    ! [ -f "$dir/node_modules/.$lock" ] || ! cmp -s "tests/compat/$lock" "$dir/$lock" || return 0
    rm -rf "$dir"
    mkdir -p "$dir"
    cp tests/compat/package.json "tests/compat/$lock" "$dir"
    export NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}
    timeout 600 npm ci --prefix "$dir" --ignore-scripts --no-audit --no-fund >"$dir/npm.log" 2>&1 || {
        tail -n 5 "$dir/npm.log" >&2
        die 'npm could not install the clients of tests/compat; the end of what it said is above.'
    }
}

compat() {
    clients
    ready_engine classic
    run_files 1 "$@" -- 'tests/compat/*.t'
}

[ $# -gt 0 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" && exit 64; }
group=$1
shift
case $group in
preflight) preflight ;;
unit) run_files "${JOBS:-2}" "$@" -- "$BUILD/tests/test_*" 'tests/unit/*.py' ;;
lint | api) run_files "${JOBS:-2}" "$@" -- "tests/$group/*.t" ;;
engine) engine "$@" ;;
compat) compat "$@" ;;
*) die "there is no group $group." ;;
esac
