#!/bin/sh
# SPDX-License-Identifier: MIT
# Loads a docker archive into a private Docker daemon, compares the image id, runs a command in a
# container without network and shows its output:
#     docker_load.sh ARCHIVE CONFIG_DIGEST [COMMAND...]
# CONFIG_DIGEST is "sha256:HEX". Without COMMAND, the image's own is run. The daemon has its own
# socket and storage, touches neither bridges nor iptables, and is ended by its pid; nothing stays.
# Exits 77 when the machine cannot run it, and says why.
set -eu

skip() { echo "skipped: $*" >&2; exit 77; }

[ $# -ge 2 ] || { echo "usage: docker_load.sh ARCHIVE CONFIG_DIGEST [COMMAND...]" >&2; exit 2; }
archive=$1 expected=$2
shift 2
[ "$(id -u)" = 0 ] || skip "a private Docker daemon needs root"
for program in docker dockerd runc; do
    command -v "$program" >/dev/null || skip "needs $program"
done

dir=$(mktemp -d)
daemon=
container=
clean_up() {
    status=$?
    trap - EXIT INT TERM
    [ -z "$container" ] || docker rm -f "$container" >/dev/null 2>&1 || true
    if [ -n "$daemon" ]; then
        kill "$daemon" 2>/dev/null || true
        wait "$daemon" 2>/dev/null || true
    fi
    # Deepest first: whatever the daemon left mounted lies below our directory.
    awk -v dir="$dir/" 'index($2, dir) == 1 { print $2 }' /proc/self/mounts | sort -r |
        while read -r mount; do umount -l "$mount" || true; done
    rm -rf "$dir"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

dockerd --data-root "$dir/root" --exec-root "$dir/exec" -H "unix://$dir/d.sock" \
    --pidfile "$dir/d.pid" --bridge=none --iptables=false --ip6tables=false \
    --ip-forward=false --ip-masq=false >"$dir/dockerd.log" 2>&1 &
daemon=$!
export DOCKER_HOST="unix://$dir/d.sock" DOCKER_CONFIG="$dir/config"

tries=0
until docker version >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -gt 600 ] || ! kill -0 "$daemon" 2>/dev/null; then
        tail -n 20 "$dir/dockerd.log" >&2
        skip "dockerd does not start here (log above)"
    fi
    sleep 0.1
done

docker load -q -i "$archive" >&2
found=$(docker image inspect -f '{{.Id}}' "$expected" 2>/dev/null) || found=none
if [ "$found" != "$expected" ]; then
    echo "docker_load.sh: the image id is not $expected; Docker has:" >&2
    docker image ls --no-trunc >&2
    exit 1
fi

container=kiln-load-$$
docker run --rm --network none --name "$container" "$expected" "$@"
container=
