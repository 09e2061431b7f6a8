#!/usr/bin/env bash
# The images of server and runner, as docker/compose.yml runs them: a task goes through, the server is
# nobody special, the runner has nothing of the machine but the engine's socket, and a restart or an
# upgrade loses nothing.
. "$(dirname "$0")/../lib.sh"

export COMPOSE_PROJECT_NAME=wrought-images-test
export DOCKER_SOCKET=${DOCKER_HOST#unix://} WROUGHT_PUBLISH=127.0.0.1: WROUGHT_SLOTS=2
compose() {
    if docker compose version >"$TMP/compose.out" 2>&1; then
        docker compose -f "$ROOT/docker/compose.yml" "$@"
    else
        docker-compose -f "$ROOT/docker/compose.yml" "$@"
    fi 2>>"$TMP/compose.log"
}
down() {
    compose down --volumes --timeout 10 >>"$TMP/compose.log"
    tap_cleanup
}
trap down EXIT

ok 'make images builds both' make -s -C "$ROOT" images
version=$(sed -n 's/^VERSION := //p' "$ROOT/Makefile")
stacks=$(docker images --format '{{.Repository}}' | grep -c '^wrought/\(server\|runner\)$')
is "$stacks" 0 'neither is named like a stack'
for name in server runner; do
    is "$(docker run --rm --entrypoint "wrought-$name" "wrought-$name:$version" --version)" \
        "wrought-$name $version" "$name: the image of this version has the program of this version"
    size=$(docker image inspect -f '{{.Size}}' "wrought-$name")
    ok "$name: the image is under 100 MB" test "$size" -lt 100000000
    exits "$name: the image has no shell" 127 docker run --rm --entrypoint sh "wrought-$name" -c true
done

ok 'compose starts both' compose up -d
server=$(compose ps -q server) runner=$(compose ps -q runner)
healthy() { [ "$(docker inspect -f '{{.State.Health.Status}}' "$1")" = healthy ]; }
ok 'the server becomes healthy' wait_for 'a healthy server' 60 healthy "$server"
ok 'the runner becomes healthy' wait_for 'a healthy runner' 60 healthy "$runner"

is "$(docker top "$server" -eo pid,uid,comm | awk 'NR > 1 { print $2, $3 }')" "10002 wrought-server" \
    'the server runs as a user of its own, alone'
mounts() { docker inspect -f '{{range .Mounts}}{{.Type}} {{.Destination}} {{.RW}}{{println}}{{end}}' "$1" | sort | sed '/^$/d'; }
is "$(mounts "$runner")" $'bind /var/run/docker.sock true\nvolume /run/wrought false\nvolume /var/lib/wrought-runner true' \
    'the runner has the socket and two volumes, and nothing else of the machine'
is "$(mounts "$server")" $'volume /data true\nvolume /run/wrought true' 'the server has two volumes'
for name in server runner; do
    is "$(docker inspect -f '{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.Privileged}}' \
        "$(compose ps -q $name)")" 'true [ALL] false' "$name: no capabilities, a read-only root"
done

# The CLI is in the image; in /data it finds iron.json.
wrought() { docker exec "$server" wrought "$@"; }
ok 'the CLI in the server knows the project' wrought upload greet --image wrought-test/busybox \
    --command "sh -c 'echo from a task; exit 7'"
exits 'a task runs, and its exit code comes through' 7 wrought queue greet --wait
like "$OUT" 'from a task' '… and its log'
docker cp "$server:/data/iron.json" "$TMP/iron.json"
is "$(jq -r '"\(.scheme)://\(.host):\(.port)"' "$TMP/iron.json")" http://127.0.0.1:8080 \
    'iron.json has the address for clients on the machine'
exits 'the health check fails where nobody answers' 69 wrought health http://127.0.0.1:9

project=$(jq -r .project_id "$TMP/iron.json")
ok 'compose stops both' compose stop
is "$(docker inspect -f '{{.State.ExitCode}}' "$server" "$runner" | xargs)" '0 0' '… gracefully'
ok 'new containers take over, as after an upgrade' compose up -d --force-recreate
isnt "$(compose ps -q server)" "$server" '… other ones'
server=$(compose ps -q server) runner=$(compose ps -q runner)
ok 'the server becomes healthy again' wait_for 'a healthy server' 60 healthy "$server"
ok 'the runner becomes healthy again' wait_for 'a healthy runner' 60 healthy "$runner"
docker cp "$server:/data/iron.json" "$TMP/iron.json"
is "$(jq -r .project_id "$TMP/iron.json")" "$project" 'the project is the same'
is "$(wrought tasks --json | jq -c '[.tasks[].exit_code]')" '[7]' 'its task is there'
exits 'the code is there, and runs' 7 wrought queue greet --wait

# Another user for the runner, as docs/OPERATIONS.md describes it: on a state volume of its own.
compose rm --stop --force runner >>"$TMP/compose.log"
docker volume rm "${COMPOSE_PROJECT_NAME}_state" >>"$TMP/compose.log"
WROUGHT_RUNNER_USER=10002:$(stat -c %g "$DOCKER_SOCKET")
export WROUGHT_RUNNER_USER
ok 'the runner may be another user' compose up -d
runner=$(compose ps -q runner)
ok '… and is healthy' wait_for 'a healthy runner' 60 healthy "$runner"
is "$(docker top "$runner" -eo pid,uid,comm | awk 'NR > 1 { print $2, $3 }')" "10002 wrought-runner" '… as that user'
exits '… and runs tasks' 7 wrought queue greet --wait
done_testing
