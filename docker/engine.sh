#!/usr/bin/env bash
# engine.sh: a private Docker Engine that leaves everything else on the machine alone.
#
#   engine.sh start DIR    start one that keeps all it has under DIR (or find it running there);
#                          prints its address, unix://DIR/docker.sock
#   engine.sh stop DIR     end it with all its containers; images stay in DIR/data for the next start
#   engine.sh pid DIR      the process id of its dockerd (killed by a signal, dockerd is started again)
#   engine.sh usable       can this machine have one? Silent if so, else one sentence and exit 1
#
# The engine lives in network, mount and pid namespaces of its own: two daemons in one network
# namespace flush each other's rules, and one kill of the namespace's first process ends dockerd,
# containerd, shims and containers together, its mounts included. All that is outside is a veth pair
# and three iptables rules, noted in DIR/net and swept by the next start or stop after a crash.
# Not `ip netns exec`: it remounts /sys, which hides the cgroups from dockerd.
set -euo pipefail

readonly subnet_prefix=10.214 # an engine takes 10.214.N.0/30, the first N that is free
readonly ready_s=60 stop_s=30

die() {
    printf 'engine: %s\n' "$*" >&2
    exit 1
}

# poll SECONDS cmd...: run cmd until it succeeds; fails when the time is over.
poll() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.05
    done
}

usable() {
    [ "$(id -u)" = 0 ] || die 'a private Docker Engine needs root (or name a running one in DOCKER_HOST).'
    local tool
    for tool in dockerd docker ip iptables unshare nsenter flock; do
        command -v "$tool" >/dev/null || die "$tool is missing: run make deps."
    done
    unshare --net --mount --pid --fork true 2>/dev/null ||
        die 'a private Docker Engine needs namespaces, and this machine lets root make none (or name a running engine in DOCKER_HOST).'
}

# ---- what identifies a running engine: a pid and the moment it started, so a reused pid is not it

started() { # PID: the start time that the kernel keeps for it; nothing if there is no such process
    local stat
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
    stat=${stat##*) }
    # shellcheck disable=SC2086  # fields are wanted
    set -- $stat
    [ "$1" = Z ] || printf '%s' "${20}"
}

first_pid() { # prints the pid of the namespace's first process if it lives
    local pid start
    [ -s "$dir/pid" ] && read -r pid start <"$dir/pid" && [ -n "$start" ] &&
        [ "$(started "$pid")" = "$start" ] && printf '%s\n' "$pid"
}
gone() { ! first_pid >/dev/null; }
answers() { timeout 5 docker -H "unix://$dir/docker.sock" version >/dev/null 2>&1; }

# ---- network: veth to the machine, NAT to the world (image builds call apt-get)

# rules -I|-D N: add or take away the rules for subnet N.
rules() {
    local op=$1 net=$subnet_prefix.$2.0/30
    iptables -w -t nat "${op/-I/-A}" POSTROUTING -s "$net" ! -d "$net" -j MASQUERADE
    iptables -w "$op" FORWARD -s "$net" -j ACCEPT
    iptables -w "$op" FORWARD -d "$net" -j ACCEPT
}

# The link's name is the lock: the kernel lets one engine have it.
net_claim() {
    local n
    for n in {0..254}; do
        [ -z "$(ip -4 route show "$subnet_prefix.$n.0/24")" ] || continue
        if ip link add "wrought$n" type veth peer name "wrought$n-in" 2>/dev/null; then
            printf '%s\n' "$n" >"$dir/net"
            return
        fi
    done
    die "no free network in $subnet_prefix.0.0/16."
}

net_connect() { # PID: give the namespaces of PID the other end
    local n
    read -r n <"$dir/net"
    [ "$(</proc/sys/net/ipv4/ip_forward)" = 1 ] || echo 1 >/proc/sys/net/ipv4/ip_forward
    rules -I "$n"
    ip addr add "$subnet_prefix.$n.1/30" dev "wrought$n"
    ip link set "wrought$n" up
    ip link set "wrought$n-in" netns "$1"
    nsenter --net="/proc/$1/ns/net" bash -ec "
        ip link set lo up
        ip link set wrought$n-in name eth0
        ip addr add $subnet_prefix.$n.2/30 dev eth0
        ip link set eth0 up
        ip route add default via $subnet_prefix.$n.1"
}

# Takes away what a run has left, whole or half; absent pieces are fine.
sweep() {
    local n id
    if [ -s "$dir/net" ] && read -r n <"$dir/net"; then
        rules -D "$n" 2>/dev/null || true
        ip link del "wrought$n" 2>/dev/null || true
    fi
    for id in "$dir"/data/containers/*/; do
        rmdir /sys/fs/cgroup/{,*/}docker/"$(basename "$id")" 2>/dev/null || true
    done
    rm -rf "$dir/exec" "$dir/net" "$dir/pid" "$dir/docker.sock"
}

# ---- start and stop

write_config() { # a file of its own: the machine's /etc/docker/daemon.json is not for this engine
    cat >"$dir/daemon.json" <<JSON
{
  "hosts": ["unix://$dir/docker.sock"],
  "data-root": "$dir/data",
  "exec-root": "$dir/exec",
  "pidfile": "$dir/exec/dockerd.pid",
  "shutdown-timeout": 5
}
JSON
}

start() {
    usable
    # The longest socket path below DIR must fit the 107 bytes of a Unix address.
    ((${#dir} <= 70)) || die "$dir is too long a path for the engine's sockets (70 bytes at most)."
    if ! gone; then
        answers && return
        stop
    fi
    sweep
    mkdir -p "$dir/data" "$dir/exec"
    write_config
    trap fail EXIT
    net_claim
    # The lock is not handed down, or it would be held as long as the engine lives.
    setsid unshare --net --mount --pid --fork --kill-child "$0" inside "$dir" \
        </dev/null >"$dir/dockerd.log" 2>&1 9>&- &
    poll 10 first_pid >/dev/null
    net_connect "$(first_pid)"
    poll "$ready_s" answers_or_gone
    answers
    trap - EXIT
}
answers_or_gone() { answers || gone; }

fail() {
    trap - EXIT
    printf 'engine: no engine came up in %s; the end of its log:\n' "$dir" >&2
    tail -n 15 "$dir/dockerd.log" >&2 || true
    stop
    exit 1
}

stop() {
    local pid ids
    if pid=$(first_pid); then
        # dockerd would grant every container ten seconds to end by itself.
        ids=$(timeout 5 docker -H "unix://$dir/docker.sock" ps -q 2>/dev/null) || ids=
        [ -z "$ids" ] || xargs timeout 10 docker -H "unix://$dir/docker.sock" kill \
            <<<"$ids" >/dev/null 2>&1 || true
        kill -TERM "$pid" 2>/dev/null || true
        poll "$stop_s" gone || kill -KILL "$pid" 2>/dev/null || true
        poll 10 gone || die "process $pid does not end."
    fi
    sweep
}

# The namespace's first process: reaps orphans, ends dockerd when told to, and starts it again when a
# signal ended it, as a service manager would.
inside() {
    local pid daemon rc stopping=
    read -r pid _ </proc/self/stat # still the outer /proc, so the outer pid
    printf '%s %s\n' "$pid" "$(started "$pid")" >"$dir/pid.new"
    mv "$dir/pid.new" "$dir/pid"
    mount -t proc proc /proc
    mkdir -p /run/containerd && mount -t tmpfs tmpfs /run/containerd
    # A resolver on the machine's loopback cannot be reached from here; the one behind it can.
    [ ! -f /run/systemd/resolve/resolv.conf ] ||
        mount --bind /run/systemd/resolve/resolv.conf /etc/resolv.conf
    poll 10 default_route || die 'no network came.'
    trap 'stopping=1; kill -TERM "$daemon" 2>/dev/null' TERM
    while :; do
        dockerd --config-file "$dir/daemon.json" 9>&- &
        daemon=$!
        rc=0
        wait "$daemon" || rc=$?
        while kill -0 "$daemon" 2>/dev/null; do # a trapped signal ends wait early
            wait "$daemon" || rc=$?
        done
        [ -z "$stopping" ] && ((rc > 128)) || exit "$rc"
        rm -f "$dir/exec/dockerd.pid"
    done
}
default_route() { [ -n "$(ip -4 route show default)" ]; }

dockerd_pid() { # the machine's own number of the process whose pid file the engine wrote inside
    local inner init status
    init=$(first_pid) || die "no engine runs in $dir."
    inner=$(<"$dir/exec/dockerd.pid")
    for status in /proc/[0-9]*/status; do
        if [ "$(readlink "${status%/*}/ns/pid" 2>/dev/null)" = "$(readlink "/proc/$init/ns/pid")" ] &&
            [ "$(awk '/^NSpid:/ { print $NF }' "$status" 2>/dev/null)" = "$inner" ]; then
            basename "${status%/*}"
            return
        fi
    done
    die 'dockerd is not running.'
}

[ $# -ge 1 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" && exit 64; }
verb=$1
[ "$verb" = usable ] && { usable && exit; }
[ $# -eq 2 ] || die "$verb: name the engine's directory."
mkdir -p "$2"
dir=$(realpath "$2")
if [ "$verb" = start ] || [ "$verb" = stop ]; then
    exec 9>"$dir/lock"
    flock -w 120 9 || die "another start or stop of $dir does not end."
fi
case $verb in
start) start && echo "unix://$dir/docker.sock" ;;
stop) stop ;;
pid) dockerd_pid ;;
inside) inside ;;
*) die "unknown verb $verb." ;;
esac
