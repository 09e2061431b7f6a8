#!/usr/bin/env bash
# docker/engine.sh: engines beside each other, crashes, and nothing left on the machine.
. "$(dirname "$0")/../lib.sh"

engine() { "$ROOT/docker/engine.sh" "$@"; }
at() { docker -H "unix://$TMP/$1/docker.sock" "${@:2}"; }
links() { ip -br link | grep -c "^wrought$(<"$1")@"; }
rules() { { iptables -S && iptables -t nat -S; } | grep -c "10\.214\.$(<"$1")\.0/30"; }
tap_engines=(one two)
stop_engines() {
    for name in "${tap_engines[@]}"; do engine stop "$TMP/$name"; done
    tap_cleanup
}
trap stop_engines EXIT

is "$(engine start "$TMP/one")" "unix://$TMP/one/docker.sock" 'start prints the address'
is "$(engine start "$TMP/two")" "unix://$TMP/two/docker.sock" 'a second engine starts beside it'
ok 'the first still answers' at one version
ok 'they have networks of their own' test "$(<"$TMP/one/net")" != "$(<"$TMP/two/net")"
is "$(links "$TMP/one/net") $(rules "$TMP/one/net")" '1 3' 'outside are one link and three rules'
first=$(engine pid "$TMP/one")
engine start "$TMP/one" >"$TMP/again"
is "$(engine pid "$TMP/one")" "$first" 'starting a running engine changes nothing'

DOCKER_HOST=unix://$TMP/one/docker.sock "$ROOT/tests/images.sh" >"$TMP/images.out"
container=$(at one run -d wrought-test/busybox sleep 1000)
is "$(at one inspect -f '{{.State.Running}}' "$container")" true 'a container runs'
like "$(at one run --rm wrought-test/busybox ip route)" 'default via 172\.' 'containers have a network'
kill -KILL "$first"
restarted() { at one version >"$TMP/version" 2>&1 && [ "$(engine pid "$TMP/one")" != "$first" ]; }
ok 'a killed dockerd is started again' wait_for 'another dockerd' 30 restarted
is "$(at one images -q wrought-test/busybox | wc -l)" 1 'its images are there'

cp "$TMP/one/net" "$TMP/net"
read -r init _ <"$TMP/one/pid"
at one start "$container" >/dev/null
inner=$(at one inspect -f '{{.State.Pid}}' "$container")
isnt "$inner" 0 'the container runs again'
kill -KILL "$init"
in_engine() { grep -lzf <(printf %s "$TMP/one") /proc/[0-9]*/cmdline 2>/dev/null | grep -cv "^/proc/$$/"; }
nothing_left() { [ "$(in_engine)" = 0 ]; }
ok 'one kill ends dockerd, containerd and shims' wait_for 'all ended' 10 nothing_left
engine start "$TMP/one" >"$TMP/again"
is "$(at one inspect -f '{{.State.Running}}' "$container")" false 'after that an engine starts on the same data'
is "$(rules "$TMP/one/net")" 3 '… and has swept the rules of the dead one'

cp "$TMP/one/net" "$TMP/net"
engine stop "$TMP/one"
is "$(links "$TMP/net") $(rules "$TMP/net")" '0 0' 'stop leaves no link and no rule'
ok '… and no process' nothing_left
ok 'the other one still answers' at two version
ok 'stop of a stopped engine is fine' engine stop "$TMP/one"
ok 'images stay for the next start' test -d "$TMP/one/data/image"

exits 'a path too long for a socket is refused' 1 engine start "$TMP/$(printf 'x%.0s' {1..80})"
like "$OUT" 'too long a path' '… and the reason said'
done_testing
