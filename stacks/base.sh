#!/usr/bin/env bash
# base.sh: print the image that stacks are built on; make it on the engine first if it has none.
#
# In this order: WROUGHT_BASE if set; debian:bookworm-slim, if the engine has it;
# wrought-base:bookworm, made by an earlier run; debian:bookworm-slim from the registry, if one can be
# reached; else wrought-base:bookworm, made with debootstrap (root) and imported. What is present is
# never pulled. (Not wrought/base: a tag of that form is a stack.)
set -euo pipefail

readonly slim=debian:bookworm-slim own=wrought-base:bookworm
# The root file system is kept, so that a second engine on this machine need not wait for it.
readonly rootfs=${STATE:-$(dirname "$(realpath "$0")")/../.state}/base-bookworm.tar

say() { printf '%s\n' "$*" >&2; }
has() { docker image inspect "$1" >/dev/null 2>&1; }

make_rootfs() {
    command -v debootstrap >/dev/null || { say 'debootstrap is missing: run make deps.' && exit 1; }
    [ "$(id -u)" = 0 ] || { say 'debootstrap needs root.' && exit 1; }
    local work mirror
    work=$(mktemp -d "${rootfs%.tar}.XXXXXX")
    # shellcheck disable=SC2064  # the name as it is now
    trap "rm -rf --one-file-system '$work'" EXIT
    debootstrap --variant=minbase bookworm "$work/root" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} >"$work/log" 2>&1 || {
        tail -n 10 "$work/log" >&2
        say 'debootstrap failed; the end of its log is above.'
        exit 1
    }
    read -r _ mirror _ <"$work/root/etc/apt/sources.list" # debootstrap's own choice if none was named
    printf 'deb %s bookworm main\ndeb %s bookworm-updates main\ndeb %s bookworm-security main\n' \
        "$mirror" "$mirror" "${DEBIAN_SECURITY_MIRROR:-${mirror%/}-security}" >"$work/root/etc/apt/sources.list"
    # As in the images of the registry: no fsync for every file of a package that a build installs.
    echo force-unsafe-io >"$work/root/etc/dpkg/dpkg.cfg.d/docker-apt-speedup"
    # What slim images leave out as well, now and on every later apt-get install.
    printf 'path-exclude /usr/share/%s/*\n' doc man info locale >"$work/root/etc/dpkg/dpkg.cfg.d/slim"
    rm -rf "$work"/root/usr/share/{doc,man,info,locale}/* "$work"/root/var/cache/apt/*.bin \
        "$work"/root/var/cache/apt/archives/*.deb "$work"/root/var/lib/apt/lists/*
    tar -C "$work/root" --numeric-owner -cf "$work/tar" .
    mv "$work/tar" "$rootfs"
}

if [ -n "${WROUGHT_BASE:-}" ]; then
    image=$WROUGHT_BASE
elif has "$slim"; then
    image=$slim
elif has "$own"; then
    image=$own
elif timeout 120 docker pull -q "$slim" >/dev/null 2>&1; then
    image=$slim
else
    image=$own
    if [ ! -s "$rootfs" ]; then
        say "No registry in reach: making the base image with debootstrap (about a minute, once)."
        mkdir -p "$(dirname "$rootfs")"
        make_rootfs
    fi
    docker import --change 'CMD ["bash"]' --change 'LABEL wrought.base=debootstrap' \
        "$rootfs" "$own" >/dev/null
fi
printf '%s\n' "$image"
