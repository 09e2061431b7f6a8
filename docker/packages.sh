#!/usr/bin/env bash
# packages.sh: the Debian packages of docker/packages.txt.
#
#   packages.sh missing GROUP...   print those of the groups that are not installed
#   packages.sh require GROUP...   exit 1 with a sentence that names the missing ones, if any
#   packages.sh install GROUP...   install what is missing (root); no network when nothing is
set -euo pipefail
here=$(dirname "$(realpath "$0")")

missing() { # GROUP...: one package a line, the first of its alternatives
    local group package
    local -A have=()
    # With what they provide: the nodejs of its makers has npm in it, and excludes Debian's.
    while read -r package; do have[$package]=1; done < <(
        dpkg-query -W -f '${db:Status-Abbrev} ${Package}, ${Provides}\n' |
            sed -n 's/([^)]*)//g; s/^.i  *//p' | tr -s ' ,' '\n')
    while read -r group package; do
        if [[ " $* " == *" $group "* ]] && ! any_of "$package"; then
            printf '%s\n' "${package%%|*}"
        fi
    done < <(grep -v '^ *\(#\|$\)' "$here/packages.txt")
}

any_of() { # A|B|...: is one of them in `have`?
    local package alternatives
    IFS='|' read -ra alternatives <<<"$1"
    for package in "${alternatives[@]}"; do
        [ -z "${have[$package]:-}" ] || return 0
    done
    return 1
}

usage() {
    sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
    exit 64
}

[ $# -ge 2 ] || usage
verb=$1
shift
# Another distribution has other names for these; the compiler will say what it lacks.
command -v dpkg-query >/dev/null || exit 0
wanted=$(missing "$@")
case $verb in
missing) [ -z "$wanted" ] || printf '%s\n' "$wanted" ;;
require)
    [ -z "$wanted" ] || {
        target=deps
        [[ " $* " != *" test "* ]] || target=deps-test
        [[ " $* " != *" compat "* ]] || target=deps-compat
        printf 'Missing Debian packages: %s\nInstall them with: make %s (as root)\n' \
            "${wanted//$'\n'/ }" "$target" >&2
        exit 1
    }
    ;;
install)
    [ -n "$wanted" ] || exit 0
    [ "$(id -u)" = 0 ] || {
        printf 'Only root can install packages; missing: %s\n' "${wanted//$'\n'/ }" >&2
        exit 1
    }
    printf 'Installing %s\n' "${wanted//$'\n'/ }"
    export DEBIAN_FRONTEND=noninteractive
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    # shellcheck disable=SC2086  # one word a package
    { apt-get update && apt-get install -y --no-install-recommends $wanted; } >"$log" 2>&1 || {
        tail -n 20 "$log" >&2
        printf 'apt-get could not install them; the end of what it said is above.\n' >&2
        exit 1
    }
    ;;
*) usage ;;
esac
