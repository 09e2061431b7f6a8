#!/usr/bin/env bash
# The stack images: each proves itself with its hello worker under the limits that tasks get.
. "$(dirname "$0")/../lib.sh"

for folder in "$ROOT"/stacks/*/; do
    stack=$(basename "$folder")
    image=wrought/$stack
    ok "$stack: stack.json is whole" jq -e --arg n "$stack" '.name == $n and
        ([.description, .runtimes[], .interpreter[], .version[]] | all(type == "string"))' "$folder/stack.json"
    is "$(docker image inspect -f '{{index .Config.Labels "wrought.stack"}}' "$image")" "$stack" \
        "$stack: the image says which stack it is"
    is "$(docker image inspect -f '{{.Config.User}}' "$image")" 10001:10001 "$stack: tasks are not root"
    is "$(docker image inspect -f '{{index .Config.Labels "wrought.taskdir"}}' "$image") $(
        docker run --rm --volume /task "$image" stat -c %a /task)" '1 777' \
        "$stack: a volume on /task is writable for everybody, and the image says so"

    mapfile -t version < <(jq -r '.version[]' "$folder/stack.json")
    like "$(docker run --rm --network none "$image" "${version[@]}" 2>&1)" '[0-9]+\.[0-9]+' \
        "$stack: the version command answers"

    mapfile -t interpreter < <(jq -r '.interpreter[]' "$folder/stack.json")
    script=$(find "$folder/hello" -name 'hello.*')
    container=$(docker create --network none --read-only --cap-drop ALL --security-opt no-new-privileges \
        --memory 512m --pids-limit 256 --volume /task "$image" \
        "${interpreter[@]}" "/task/${script##*/}" one two)
    # The read-only root takes nothing, a volume that two containers share does.
    docker run --rm -i --volumes-from "$container" "$image" \
        sh -c 'cat >"$1"' sh "/task/${script##*/}" <"$script"
    OUT=$(docker start --attach "$container" 2>&1)
    is "$(docker inspect -f '{{.State.ExitCode}}' "$container")" 0 "$stack: hello ends well"
    like "$OUT" "hello from $stack" "$stack: hello says so"
    like "$OUT" 'uid 10001' "$stack: hello ran as 10001"
    like "$OUT" 'arguments: one two' "$stack: hello got its arguments"
    docker rm -fv "$container" >/dev/null

    before=$(docker image inspect -f '{{.Id}}' "$image")
    ok "$stack: builds again" "$ROOT/stacks/build.sh" "$stack"
    is "$(docker image inspect -f '{{.Id}}' "$image")" "$before" "$stack: … from the cache"
done

exits 'an unknown stack is refused' 1 "$ROOT/stacks/build.sh" no-such-stack
like "$OUT" 'no stack no-such-stack; there are: .*python-3.11' '… and the known ones are named'
exits 'without an engine nothing is built' 1 env DOCKER_HOST="unix://$TMP/none.sock" "$ROOT/stacks/build.sh" sh
like "$OUT" "no Docker Engine answers at unix://$TMP/none.sock" '… and it is said where none answers'
is "$(WROUGHT_BASE=some/image "$ROOT/stacks/base.sh")" some/image 'WROUGHT_BASE names the base image'
done_testing
