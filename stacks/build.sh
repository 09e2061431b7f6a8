#!/usr/bin/env bash
# build.sh [NAME...]: build stack images, wrought/NAME from stacks/NAME/ (all of them without names),
# on the engine that DOCKER_HOST names, or the default one.
#
# A stack is a folder with
#   Dockerfile   begins with ARG BASE and FROM ${BASE}; ends as user 10001 in a /task for everybody
#   stack.json   name, description, runtimes with their interpreters, tools and version (commands)
#   hello/       a worker for each runtime that proves it; prints "hello from NAME"
# Runners find their stacks by the tag.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")"

# The classic builder comes with every engine; buildx is a package of its own.
export DOCKER_BUILDKIT=${DOCKER_BUILDKIT:-0}

die() {
    printf 'stacks: %s\n' "$*" >&2
    exit 1
}

build() {
    local name=$1
    docker build --pull=false --force-rm --tag "wrought/$name" --build-arg "BASE=$base" \
        --label "wrought.stack=$name" "$name" >"$log" 2>&1 || {
        tail -n 30 "$log" >&2
        die "$name does not build; the end of the engine's output is above."
    }
    docker image inspect -f '{{slice .Id 7 19}} {{.Size}}' "wrought/$name" |
        awk -v name="$name" '{ printf "  wrought/%-16s %s  %4.0f MB\n", name, $1, $2 / 1e6 }'
}

names=("$@")
[ $# -gt 0 ] || names=(*/)
names=("${names[@]%/}")
for name in "${names[@]}"; do
    [ -f "$name/Dockerfile" ] || die "there is no stack $name; there are: $(printf '%s ' */ | tr -d /)"
done
timeout 10 docker version >/dev/null 2>&1 ||
    die "no Docker Engine answers at ${DOCKER_HOST:-the default socket}; start one or set DOCKER_HOST."
base=$(./base.sh)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for name in "${names[@]}"; do build "$name"; done
