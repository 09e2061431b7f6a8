#!/usr/bin/env bash
# rootfs.sh DIR PROGRAM...: make DIR the root of an image that has the programs, in usr/bin, and what
# they need to run: the libraries that they are linked with, certificates, time zones, the one locale that
# archives are read in, a user. No shell and no package manager: nothing that the programs do not use.
set -euo pipefail

[ $# -ge 2 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2 && exit 64; }
root=$1
shift

install -d "$root"/{etc/ssl/certs,usr/bin,usr/share,usr/lib/locale}
install -d -m 1777 "$root/tmp"
install -m 0755 "$@" "$root/usr/bin"

# The libraries of a program, as paths where the loader looks for them; the loader itself is named
# without an arrow. A static program has none.
libraries() {
    readelf -lW "$1" | grep INTERP >/dev/null || return 0
    ldd "$1" | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\// && $2 ~ /^\(/ { print $1 }'
}
for program; do libraries "$program"; done | sort -u | while read -r library; do
    install -D -m 0755 "$(realpath "$library")" "$root$library"
done

install -m 0644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs"
cp -R /usr/share/zoneinfo "$root/usr/share"
cp -R /usr/lib/locale/C.utf8 "$root/usr/lib/locale"
printf 'root:x:0:0::/:/\nwrought:x:10002:10002::/:/\n' >"$root/etc/passwd"
printf 'root:x:0:\nwrought:x:10002:\n' >"$root/etc/group"
