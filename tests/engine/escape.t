#!/usr/bin/env bash
# Strangers' code that tries to get out, to take everything, or to reach its neighbours, beside a task
# that only wants to do its work. The network has a test of its own, network.t.
. "$(dirname "$0")/../lib.sh"
start_server
start_runner --memory 200M --pids 64 --disk 64M --grace 2s
image=wrought-test/busybox

# upload_probe NAME IMAGE COMMAND PROGRAM: a code with one of the probes as its package.
upload_probe() {
    rm -f "$TMP/probe.zip"
    zip -qj "$TMP/probe.zip" "$BIN/probe/$4"
    api POST codes -F "file=@$TMP/probe.zip;type=application/zip" -F "data=$(
        jq -nc --arg n "$1" --arg i "$2" --arg c "$3" '{name:$n,image:$i,command:$c}')"
    [ "$STATUS" = 200 ] || diag "upload of $1: $STATUS $BODY"
}
run_in_shell() { # NAME SCRIPT
    upload_image "$1" "$image" "sh -c '$2'"
    queue_task "$1"
}

# ---- the innocent: writes a secret, listens, and says every 100 ms that it lives, to the end
run_in_shell innocent 'echo a-secret-word >/task/secret; echo a-secret-word >/tmp/secret
    nc -ll -p 7777 -e echo a-secret-word & i=0
    until [ -e /task/enough ] || [ $i = 1200 ]; do i=$((i+1)); usleep 100000; done; cat /task/secret; echo lived $i'
innocent=$TASK
wait_status "$innocent" running 60
container_of() { docker ps -q --no-trunc --filter "label=wrought.task=$1"; }
box=$(container_of "$innocent")
address=$(docker inspect -f '{{.NetworkSettings.IPAddress}}' \
    "$(docker inspect -f '{{.HostConfig.NetworkMode}}' "$box" | sed 's/^container://')")
like "$address" '^172\.' "the neighbour's address is known to the test"

# ---- one attempt after the other, each by name
upload_probe escape "$image" ./escape escape
queue_task escape
wait_status "$TASK" complete 120
log=$(task_log "$TASK")
like "$log" 'attempts [1-9][0-9]+, done 0' 'no attempt does anything' || diag "$(grep DONE <<<"$log")"
while read -r name result; do
    [ "$name" = attempts ] || is "${result%% *}" refused "$name is refused"
done <<<"$log"

# ---- the neighbour's files, processes and network
run_in_shell snoop "find / -xdev -name secret 2>/dev/null; grep -rl a-secret-word /tmp /task /proc/[0-9]*/environ \
    /proc/[0-9]*/cmdline 2>/dev/null | grep -v self; ls -d /proc/[0-9]* | wc -l; nc -w 2 $address 7777; true"
wait_status "$TASK" complete 60
unlike "$(task_log "$TASK")" 'secret' "a task finds neither file, process nor port of another"

# ---- set-user-id programs
mkdir "$TMP/root"
cp "$BIN/probe/whoami" "$TMP/root/whoami"
tar -C "$TMP/root" --owner 0 --group 0 --mode 4755 -c whoami | docker import - wrought-test/setuid >"$TMP/setuid.id"
upload_image setuid wrought-test/setuid /whoami
queue_task setuid
wait_status "$TASK" complete 60
is "$(task_log "$TASK")" '10001 10001' 'a set-user-id program of an image stays what it was'
docker rmi wrought-test/setuid >"$TMP/setuid.rm"

# ---- taking everything
# shellcheck disable=SC2016  # for the shell in the task
run_in_shell bomb 'bomb() { bomb | bomb & }; bomb; wait; usleep 500000
    cat /sys/fs/cgroup/pids/pids.current /sys/fs/cgroup/pids.current 2>/dev/null; exit 3'
wait_status "$TASK" 'error|complete' 90
api GET "tasks/$TASK"
ok 'a fork bomb ends with its task' wait_for 'its container is gone' 20 test -z "$(container_of "$TASK")"

run_in_shell hog 'x=a; while :; do x=$x$x; done'
wait_status "$TASK" error 60
like "$(field .msg)" 'out of memory: limit 200 MB' 'a memory hog is ended, and that is what is said'

run_in_shell filler 'dd if=/dev/zero of=/task/fill bs=1M count=100000; usleep 30000000'
wait_status "$TASK" error 90
like "$(field .msg)" 'out of disk: limit 64 MB' 'a disk filler is ended, and that is what is said'

run_in_shell files 'i=0; while :; do i=$((i+1)); : >/task/f$i; mkdir -p /tmp/d$i; done'
api POST "tasks/$TASK/cancel"
wait_status "$TASK" cancelled 20

# ---- and the innocent one
is "$(task_status "$innocent")" running 'the innocent task runs all the while'
docker exec "$box" touch /task/enough
wait_status "$innocent" complete 30
like "$(task_log "$innocent")" 'a-secret-word'$'\n''lived [0-9]+' 'and ends as it would have without them'
done_testing
