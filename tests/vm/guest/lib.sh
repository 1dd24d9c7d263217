# SPDX-License-Identifier: MIT
# Words that guest scripts share: ". /root/lib.sh". Nothing here waits for a time; all wait for a
# condition, and give up with a reason after a number of seconds.

fail() {
	echo "FAIL: $*"
	exit 1
}

# $1: seconds, on a kernel of usual speed; the rest: a command that is tried until it succeeds.
wait_until() {
	wait_end=$(($(cut -d. -f1 /proc/uptime) + $1 * ${GUEST_SLOWER:-1}))
	shift
	until "$@"; do
		[ "$(cut -d. -f1 /proc/uptime)" -lt "$wait_end" ] || return 1
		sleep 0.1
	done
}

# A camera of vivid. $1: how many (default 1). Prints nothing; the nodes are /dev/video0 and on.
load_vivid() {
	types=0x1
	i=1
	while [ "$i" -lt "${1:-1}" ]; do
		types=$types,0x1
		i=$((i + 1))
	done
	modprobe vivid n_devs="${1:-1}" node_types="$types" no_error_inj=1 || fail "vivid does not load"
}

# Plugs in the simulated USB camera, which plays the given roll (and options). Sets camsim_pid. Its
# lines (attached, stream-on, stream-off, end, detached) go to /tmp/camsim, its frames to
# /out/camsim.jsonl.
plug_camsim() {
	modprobe -a vhci_hcd uvcvideo || fail "no uvcvideo"
	sluice-camsim --log /out/camsim.jsonl "$@" >/tmp/camsim 2>&1 &
	camsim_pid=$!
	wait_until 30 [ -e /dev/video0 ] || {
		cat /tmp/camsim
		fail "the simulated camera made no /dev/video0"
	}
}

unplug_camsim() {
	kill "$camsim_pid"
	wait "$camsim_pid" || true
}

# Moves files to /out, where each write is a round trip to the host: in large pieces.
hand_over() {
	for f in "$@"; do
		dd if="$f" of="/out/${f##*/}" bs=256k 2>/dev/null || fail "cannot write /out/${f##*/}"
		rm "$f"
	done
}
