#!/bin/sh
# Made by wrought from a .worker file. Works in the folder that -d names.
root() {
    while [ $# -gt 1 ]; do
        if [ "$1" = "-d" ]; then
            printf '%s' "$2"
            return
        fi
        shift
    done
}
root=$(root "$@")
cd "${root:-.}" || exit 1

libraries=.:./lib:./__debs__/usr/lib:./__debs__/lib
if [ -d __debs__ ]; then
    machine=$(uname -m)-linux-gnu
    libraries=$libraries:./__debs__/usr/lib/$machine:./__debs__/lib/$machine
fi
export LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export PATH=".:./bin:./__debs__/usr/bin:./__debs__/bin:$PATH"
@EXPORTS@
@START@
