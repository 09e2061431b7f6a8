#!/usr/bin/env bash
# The stack images: each proves every runtime that it claims with its hello workers, under the limits
# that tasks get.
. "$(dirname "$0")/../lib.sh"

# The box of a task, as far as the command line of docker can say it.
limits=(--network none --read-only --user 10001:10001 --cap-drop ALL --security-opt no-new-privileges
    --memory 512m --memory-swap 512m --pids-limit 256 --tmpfs /tmp:exec --volume /task --env HOME=/task)

# run_hello STACK FILE INTERPRETER...: the output in $OUT, the exit code in $CODE.
run_hello() {
    local image=wrought/$1 file=$2 container
    shift 2
    container=$(docker create "${limits[@]}" --env PAYLOAD_FILE=/task/payload "$image" \
        "$@" "/task/${file##*/}" one two)
    # The read-only root takes nothing, a volume that two containers share does.
    tar -C "${file%/*}" --owner 10001 --group 10001 -c "${file##*/}" -C "$TMP" payload |
        docker run --rm -i --volumes-from "$container" "$image" tar -C /task -x
    OUT=$(docker start --attach "$container" 2>&1)
    CODE=$(docker inspect -f '{{.State.ExitCode}}' "$container")
    docker rm -fv "$container" >/dev/null
}

# words_of FILTER FILE: a JSON array of words, one a line.
words_of() { jq -r "$1 | .[]" "$2"; }

check_image() { # STACK
    local image=wrought/$1
    is "$(docker image inspect -f '{{index .Config.Labels "wrought.stack"}} {{.Config.User}}' "$image")" \
        "$1 10001:10001" "$1: the image says which stack it is, and tasks are not root"
    is "$(docker image inspect -f '{{index .Config.Labels "wrought.taskdir"}}' "$image") $(
        docker run --rm --volume /task "$image" stat -c %a /task)" '1 777' \
        "$1: a volume on /task is writable for everybody, and the image says so"
    is "$(docker run --rm "$image" find /var/lib/apt/lists /var/cache/apt -type f ! -empty 2>/dev/null)" '' \
        "$1: no package lists or archives are left in the image"
    is "$(docker run --rm "$image" sh -c 'echo "$LANG"')" C.UTF-8 "$1: text is UTF-8"
}

check_commands() { # STACK FILE: the version and every tool answer, in the box of a task
    local line words
    while read -r line; do
        mapfile -t words < <(jq -r '.[]' <<<"$line")
        like "$(docker run --rm "${limits[@]}" "wrought/$1" "${words[@]}" 2>&1)" '[0-9]+\.[0-9]+' \
            "$1: ${words[*]}"
    done < <(jq -c '.version, .tools[]' "$2")
}

# Every way in which the stack runs a file has a worker that proves it; words that mean the same
# (python, python3) share one.
check_runtimes() { # STACK FILE
    local file runtime interpreter proved=()
    for file in "$ROOT/stacks/$1"/hello/*; do
        runtime=${file##*/} runtime=${runtime%.*}
        mapfile -t interpreter < <(words_of ".runtimes[\"$runtime\"]" "$2")
        run_hello "$1" "$file" "${interpreter[@]}"
        is "$CODE" 0 "$1: the hello of $runtime ends well"
        like "$OUT" "hello from $1: .*, uid 10001" "$1: … says so, as 10001"
        like "$OUT" 'arguments: one two' "$1: … got its arguments"
        like "$OUT" 'payload: Grüße' "$1: … and its payload"
        proved+=("${interpreter[*]}")
    done
    is "$(printf '%s\n' "${proved[@]}" | sort -u)" \
        "$(jq -r '.runtimes[] | join(" ")' "$2" | sort -u)" "$1: every runtime has a hello"
}

check_cache() { # STACK
    local before
    before=$(docker image inspect -f '{{.Id}}' "wrought/$1")
    ok "$1: builds again" "$ROOT/stacks/build.sh" "$1"
    is "$(docker image inspect -f '{{.Id}}' "wrought/$1")" "$before" "$1: … from the cache"
}

printf 'Grüße' >"$TMP/payload"
for folder in "$ROOT"/stacks/*/; do
    stack=$(basename "$folder") file=$folder/stack.json
    ok "$stack: stack.json is whole" jq -e --arg n "$stack" '.name == $n and
        ([.description, .runtimes[][], .tools[][], .version[]] | all(type == "string"))' "$file"
    check_image "$stack"
    check_commands "$stack" "$file"
    check_runtimes "$stack" "$file"
    check_cache "$stack"
done

# What a remote build of a gem with native code does, without a registry.
# shellcheck disable=SC2016  # for the shell in the container
is "$(docker run --rm "${limits[@]}" wrought/classic sh -ec '
    printf "#include <ruby.h>\nvoid Init_seven(void) { rb_define_global_const(\"SEVEN\", INT2FIX(7)); }\n" >seven.c
    ruby -rmkmf -e "create_makefile(%q(seven))" >/dev/null
    make >/dev/null
    ruby -I. -rseven -e "puts SEVEN"' 2>&1)" 7 'classic compiles an extension of Ruby'

# layers IMAGE: those that its Dockerfile made files in.
layers() { docker image inspect -f '{{range .RootFS.Layers}}{{println .}}{{end}}' "$1" | grep .; }
for stack in python-3.11 node-18; do
    is "$(comm -23 <(layers "wrought/$stack" | sort) <(layers wrought/classic | sort))" '' \
        "classic takes no room for what $stack has"
done

exits 'an unknown stack is refused' 1 "$ROOT/stacks/build.sh" no-such-stack
like "$OUT" 'no stack no-such-stack; there are: .*python-3.11' '… and the known ones are named'
exits 'without an engine nothing is built' 1 env DOCKER_HOST="unix://$TMP/none.sock" "$ROOT/stacks/build.sh" sh
like "$OUT" "no Docker Engine answers at unix://$TMP/none.sock" '… and it is said where none answers'
is "$(WROUGHT_BASE=some/image "$ROOT/stacks/base.sh")" some/image 'WROUGHT_BASE names the base image'
done_testing
