# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034 # used by those who source this
# Sourced by the module's guest scripts: small words for what they all do.

fail() { echo "FAILED: $*"; exit 1; }

# $1: name of a value; $2: file of NAME=VALUE lines. Prints the value, 0 if there is none.
value() { sed -n "s/^$1=//p" "$2" | tail -n 1 | grep . || echo 0; }

# $1: what; $2: have; $3: want.
same() { [ "$2" = "$3" ] || fail "$1: $2, expected $3"; }

# $1: errno and, if it matters, words of the text; the rest: a command that must be refused so.
refused() {
	want=$1
	shift
	if "$@" >/tmp/refused 2>&1; then fail "was not refused: $*"; fi
	if ! grep -q "^refused ${want%% *}" /tmp/refused || ! grep -q "${want#* }" /tmp/refused; then
		fail "$*: $(cat /tmp/refused), expected $want"
	fi
	echo "refused rightly: $(cat /tmp/refused)"
}

# $1: seconds, on a kernel of usual speed; the rest: a condition to wait for.
wait_for() {
	tries=$(($1 * 10 * ${GUEST_SLOWER:-1}))
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || fail "waited in vain for: $*"
		sleep 0.1
	done
}

# A limit is as much longer as the guest is slower. A program, so that it can run beside us and be killed.
if [ "${GUEST_SLOWER:-1}" -gt 1 ]; then
	mkdir -p /root/slower
	# shellcheck disable=SC2016 # for that program
	printf '#!/bin/sh\nn=$1\nshift\nexec %s $((n * %s)) "$@"\n' "$(command -v timeout)" "$GUEST_SLOWER" >/root/slower/timeout
	chmod 755 /root/slower/timeout
	PATH=/root/slower:$PATH
fi

# $1: camera. Its ledger must add up; leaves the answer in /tmp/ledger.
check_ledger() {
	control get "$1" >/tmp/ledger || fail "get: $(cat /tmp/ledger)"
	sum=$(($(value pending /tmp/ledger) + $(value passed /tmp/ledger) + $(value dropped /tmp/ledger) + $(value lost /tmp/ledger)))
	same "ledger of camera $1" "$sum" "$(value delivered /tmp/ledger)"
}

# After check_ledger: nothing was lost but by the driver (vivid skips frames when the host is busy).
nothing_lost() {
	same "lost ($(grep ^count2 /tmp/ledger | tr '\n' ' '))" "$(value lost /tmp/ledger)" "$(value count26 /tmp/ledger)"
}

# Free memory in kB. MemFree leaves out what lies in the lists of free pages of each CPU, which from
# 6.7 on grow to tens of MB.
free_kb() {
	[ ! -e /proc/sys/vm/stat_refresh ] || echo 1 >/proc/sys/vm/stat_refresh
	awk '$1 == "nr_free_pages" { n += $2 } $1 == "count:" { n += $2 } END { print n * 4 }' /proc/zoneinfo
}

# Settings by number: every frame passes (a warm-up of a minute, no thinning).
all_pass="8=60000 11=0"

# Frames/s that a guest can draw and a reader check. An emulated guest on a busy host draws 25 with effort.
vivid_fps=10
[ "${GUEST_SLOWER:-1}" -lt 4 ] || vivid_fps=4
[ "${GUEST_SLOWER:-1}" -lt 8 ] || vivid_fps=1
vivid_start() {
	modprobe vivid n_devs=1 node_types=0x1 no_error_inj=1
	v4l2-ctl -d /dev/video0 --set-fmt-video=width=640,height=480,pixelformat=YUYV --set-parm=$vivid_fps >/dev/null
}

# $1: name of a roll in /root. Plugs the simulated camera in; $camsim is its process.
camsim_start() {
	modprobe -a vhci_hcd uvcvideo
	sluice-camsim --log "/tmp/camsim.jsonl" --loop forever "/root/$1" >/tmp/camsim.out 2>&1 &
	camsim=$!
	wait_for 30 test -e /dev/video0
	v4l2-ctl -d /dev/video0 --get-fmt-video >/dev/null
}

# $1: list of ringread. Each picture is, byte for byte, one that the camera has sent.
sent_by_camera() {
	sed -n 's/.*"crc":"*\([0-9a-f]*\).*/\1/p' /tmp/camsim.jsonl | sort -u >/tmp/sent
	sed 's/.*crc=//' "$1" | sort -u >/tmp/seen
	grep -vxFf /tmp/sent /tmp/seen >/tmp/strange || true
	[ -s /tmp/seen ] && [ ! -s /tmp/strange ] || fail "pictures that the camera has not sent: $(head -n 3 /tmp/strange) ($(wc -l </tmp/strange) of $(wc -l </tmp/seen))"
}
