#!/usr/bin/env bash
# images.sh [NAME...]: build the images of server and runner, wrought-server and wrought-runner, tagged
# latest and with the version, on the engine that DOCKER_HOST names, or the default one. WROUGHT_VERSION
# is the version; make images gives it. (Not wrought/server: a tag of that form is a stack.)
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/.."

# The classic builder comes with every engine; buildx is a package of its own.
export DOCKER_BUILDKIT=${DOCKER_BUILDKIT:-0}
readonly version=${WROUGHT_VERSION:-latest}

die() {
    printf 'images: %s\n' "$*" >&2
    exit 1
}

build() {
    local name=$1 image=wrought-$1
    docker build --pull=false --force-rm --file docker/Dockerfile --target "$name" \
        --build-arg "BASE=$base" --label "org.opencontainers.image.version=$version" \
        --tag "$image:latest" --tag "$image:$version" . >"$log" 2>&1 || {
        tail -n 30 "$log" >&2
        die "$name does not build; the end of the engine's output is above."
    }
    docker image inspect -f '{{slice .Id 7 19}} {{.Size}}' "$image" |
        awk -v name="$image:$version" '{ printf "  %-24s %s  %4.0f MB\n", name, $1, $2 / 1e6 }'
}

names=("$@")
[ $# -gt 0 ] || names=(server runner)
for name in "${names[@]}"; do
    [ "$name" = server ] || [ "$name" = runner ] || die "there is no image of $name; there are: server runner"
done
timeout 10 docker version >/dev/null 2>&1 ||
    die "no Docker Engine answers at ${DOCKER_HOST:-the default socket}; start one or set DOCKER_HOST."
base=$(stacks/base.sh)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for name in "${names[@]}"; do build "$name"; done
