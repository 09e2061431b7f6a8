#!/usr/bin/env bash
# images.sh: put the tiny test image on the engine of DOCKER_HOST: wrought-test/busybox, one static
# binary with its links, a temporary directory and two users; no /task, as in images that know nothing
# of Wrought.
set -euo pipefail

readonly image=wrought-test/busybox:latest
! docker image inspect "$image" >/dev/null 2>&1 || exit 0
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,etc,tmp,proc,sys,dev}
cp "$(command -v busybox)" "$root/bin/busybox"
for tool in $("$root/bin/busybox" --list); do
    [ "$tool" = busybox ] || ln -s busybox "$root/bin/$tool"
done
printf 'root:x:0:0::/:/bin/sh\nworker:x:10001:10001::/task:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\nworker:x:10001:\n' >"$root/etc/group"
chmod 1777 "$root/tmp"
tar -C "$root" --owner 0 --group 0 --numeric-owner -c . |
    docker import --change 'CMD ["sh"]' --change 'ENV PATH=/bin' - "$image" >/dev/null
printf '  %s\n' "$image"
