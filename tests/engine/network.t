#!/usr/bin/env bash
# What a task can reach over its network and what not. The hosts that it tries are addresses in the
# network namespace of an engine of this test's own; no packet leaves that.
. "$(dirname "$0")/../lib.sh"

engine_dir=$TMP/e
export DOCKER_HOST=unix://$engine_dir/docker.sock
"$ROOT/docker/engine.sh" start "$engine_dir" >"$TMP/engine.out" || bail 'no engine'
stop_engine() {
    tap_keep=$?
    "$ROOT/docker/engine.sh" stop "$engine_dir"
    (exit "$tap_keep")
}
trap 'tap_stop_processes; stop_engine; tap_cleanup' EXIT
"$ROOT/tests/images.sh" >"$TMP/images.out"
namespace=/proc/$("$ROOT/docker/engine.sh" pid "$engine_dir")/ns/net

# ---- the hosts: the engine's own machine under addresses of all kinds, and another container
resolver=$(docker run --rm wrought-test/busybox sed -n 's/^nameserver //p' /etc/resolv.conf | head -n 1)
private=(10.99.0.1 172.30.0.9 192.168.77.1 169.254.169.254 100.64.1.1)
world=198.51.100.7 own=203.0.113.9 # both of ranges for documentation; `own` stands for the host's own
for address in "${private[@]}" "$world" "$own" "$resolver"; do
    nsenter --net="$namespace" ip addr add "$address/32" dev lo
done
spawn hosts nsenter --net="$namespace" python3 "$ROOT/tests/probe/hosts.py" "$resolver" 8080 8081
hosts_ready() { grep -q ready "$TMP/hosts.out"; }
wait_for 'the hosts answer' 10 hosts_ready
docker run -d --name neighbour wrought-test/busybox nc -ll -p 8080 -e echo hello >"$TMP/neighbour.out"
gateway=$(docker inspect -f '{{.NetworkSettings.Gateway}}' neighbour)
neighbour=$(docker inspect -f '{{.NetworkSettings.IPAddress}}' neighbour)

forbidden=(tcp:"$gateway":8080 udp:"$gateway":8080 tcp:"$neighbour":8080 tcp:"$own":8080 udp:"$own":8080
    tcp-device:"$gateway":8080 udp-device:"$gateway":8080 udp-pktinfo:"$gateway":8080
    tcp-device:10.99.0.1:8080 udp-pktinfo:169.254.169.254:8080 tcp-device:"$neighbour":8080
    broadcast:255.255.255.255:8080)
for address in "${private[@]}"; do
    forbidden+=(tcp:"$address":8080 udp:"$address":8080)
done
allowed=(tcp:"$world":8080 udp:"$world":8080 tcp:10.99.0.1:8081 udp:10.99.0.1:8081)

# An ordinary container reaches all of them: so they are there to be reached.
docker create --name plain --entrypoint /reach wrought-test/busybox "${forbidden[@]}" "${allowed[@]}" >"$TMP/plain.id"
docker cp "$BIN/probe/reach" plain:/reach
docker start -a plain >"$TMP/plain.log" 2>&1
is "$(grep -c ' reached$' "$TMP/plain.log")" "$((${#forbidden[@]} + ${#allowed[@]}))" \
    'an ordinary container reaches every host of this test' || diag "$(<"$TMP/plain.log")"

start_server
start_runner --slots 1 --allow-net 10.99.0.1:8081 --deny-net "$own"
upload_probe() { # NAME COMMAND
    rm -f "$TMP/probe.zip"
    zip -qj "$TMP/probe.zip" "$BIN/probe/reach"
    api POST codes -F "file=@$TMP/probe.zip;type=application/zip" -F "data=$(
        jq -nc --arg n "$1" --arg c "$2" '{name:$n,image:"wrought-test/busybox",command:$c}')"
    [ "$STATUS" = 200 ] || diag "upload: $STATUS $BODY"
}

upload_probe outside "./reach ${forbidden[*]} ${allowed[*]}"
queue_task outside
wait_status "$TASK" complete 120
log=$(task_log "$TASK")
for target in "${forbidden[@]}"; do
    like "$log" "$target unreachable" "a task does not reach $target"
done
for target in "${allowed[@]}"; do
    like "$log" "$target reached" "a task reaches $target"
done

upload_image lookup wrought-test/busybox 'nslookup anything.example'
queue_task lookup
wait_status "$TASK" complete 60
like "$(task_log "$TASK")" "$world" 'the resolver answers, although it is at a private address'
upload_probe resolver "./reach tcp:$resolver:8080 udp:$resolver:8080"
queue_task resolver
wait_status "$TASK" complete 60
unlike "$(task_log "$TASK")" ' reached' 'but nothing else of its machine'

upload_image itself wrought-test/busybox \
    "sh -c 'nc -l -p 9000 -e echo heard & until nc 127.0.0.1 9000; do usleep 50000; done'"
queue_task itself
wait_status "$TASK" complete 60
like "$(task_log "$TASK")" heard 'a task reaches itself'
queue_task itself
wait_status "$TASK" complete 60
like "$(task_log "$TASK")" heard 'and so does the next one, at the same port'

upload_image closed wrought-test/busybox "sh -c 'cat /proc/net/tcp | tail -n +2'"
queue_task closed
wait_status "$TASK" complete 60
is "$(task_log "$TASK")" '' 'nothing of their connections is left to be seen'

# Sandboxes are few, however many tasks ran, and gone with the runner.
sandboxes() { docker ps -q --filter label=wrought.kind=net | wc -l; }
is "$(sandboxes)" 1 'a slot has one sandbox'
ok 'the runner ends' stop_runner
none_left() { [ -z "$(docker ps -aq --filter label=wrought.runner)" ]; }
ok 'its sandboxes are gone with it' wait_for 'containers are removed' 20 none_left
done_testing
