#!/usr/bin/env bash
# What a task finds around it by default, seen from inside: limits, user, capabilities, file systems.
. "$(dirname "$0")/../lib.sh"
start_server
start_runner --memory 200M --pids 50 --files 300 --cpu-millis 500

cat >"$TMP/look.sh" <<'SCRIPT'
sed -n 's/^\(Cap...\|NoNewPrivs\|Seccomp_filters\):[ \t]*/\1=/p' /proc/self/status
echo "id=$(id -u):$(id -g)"
echo "files=$(ulimit -n) core=$(ulimit -c)"
first() { cat "$@" 2>/dev/null | head -n 1; }
echo "memory=$(first /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max)"
echo "pids=$(first /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max)"
echo "cpu=$(first /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us /sys/fs/cgroup/cpu.max | cut -d' ' -f1)"
for dir in / /etc /wrought /code /task /tmp; do
    if (: >"$dir/.probe") 2>/dev/null; then echo "writable=$dir"; else echo "readonly=$dir"; fi
done
printf '#!/bin/sh\necho ran\n' >/tmp/x && chmod +x /tmp/x && echo "tmp=$(/tmp/x)"
find / -xdev -name '*docker*.sock' 2>/dev/null | sed 's/^/socket=/'
kill -9 1 2>/dev/null
ls /proc/1/fd >/dev/null 2>&1 && echo 'init=open' || echo 'init=closed'
read -r line || echo 'stdin=empty'
SCRIPT
upload_script look sh "$TMP/look.sh"
is "$STATUS" 200 'the script is taken'
queue_task look
wait_status "$TASK" complete 60
log=$(task_log "$TASK")
has() { like $'\n'"$log"$'\n' $'\n'"$1"$'\n' "$2"; }

for set in CapInh CapPrm CapEff CapBnd CapAmb; do
    has "$set=0000000000000000" "$set is empty"
done
has NoNewPrivs=1 'no new privileges'
has Seccomp_filters=2 "the engine's filter and our own"
has id=10001:10001 'the user is 10001'
has 'files=300 core=0' 'open files and core files are limited'
has memory=209715200 'memory is limited'
has pids=50 'processes are limited'
has cpu=50000 'the processor is limited'
has readonly=/ 'the root is read-only'
has readonly=/etc 'so is /etc'
has readonly=/wrought 'so is the volume with init'
has readonly=/code 'so is the volume with the code'
has writable=/task '/task can be written'
has writable=/tmp '/tmp can be written'
has tmp=ran '/tmp can execute'
has stdin=empty 'stdin is empty'
has init=closed "init's descriptors cannot be reached"
unlike "$log" 'socket=' 'no engine socket is inside'
done_testing
