# SPDX-License-Identifier: MIT
# Does the module work on this kernel at all? Both modes on vivid and on a USB camera (ROLL, MJPEG):
# load, attach, frames through the ring, their bytes, the ledger's sums, rmmod in mid-stream.
# shellcheck disable=SC2086,SC1091,SC2154 # words are meant to split; ROLL comes from outside
. /root/module.sh
set -e
uname -r

# $1: camera. An application streams; the ring has the application's bytes.
tap_both() {
	rm -f /tmp/app /tmp/ring
	ringread /dev/sluice0 frames=15 seconds=60 dump=/tmp/ring >/tmp/read &
	reader=$!
	timeout 60 v4l2-ctl -d "$1" --stream-mmap --stream-count=15 --stream-to=/tmp/app >/tmp/v4l2 2>&1 ||
		fail "v4l2-ctl: $(cat /tmp/v4l2)"
	wait $reader || fail "ringread: $(cat /tmp/read)"
	[ "$(stat -c %s /tmp/app)" -gt 100000 ] || fail "the application got little"
	cmp /tmp/app /tmp/ring || fail "the ring has other bytes than the application's file"
	check_ledger 0
	nothing_lost
}

vivid_start
modprobe sluice
control attach /dev/video0 capture $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"
ringread /dev/sluice0 frames=20 seconds=60 list=/tmp/list >/tmp/read || fail "$(cat /tmp/read)"
[ "$(awk '{ print $NF }' /tmp/list | sort -u | wc -l)" -gt 15 ] || fail "frames do not differ"
check_ledger 0
nothing_lost
same "OVERRUN" "$(value count24 /tmp/ledger)" 0
control set 0 2=1 >/tmp/set || fail "$(cat /tmp/set)"
refused "ERANGE preset" control set 0 2=3
control detach 0
control attach /dev/video0 tap $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"
tap_both /dev/video0
control detach 0
# Once more without vector code.
rmmod sluice
modprobe sluice scalar=1
control attach /dev/video0 capture $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"
ringread /dev/sluice0 frames=5 seconds=60 >/tmp/read || fail "$(cat /tmp/read)"
rmmod sluice || fail "rmmod in mid-stream"
rmmod vivid || fail "vivid is still held"

camsim_start "$ROLL"
modprobe sluice
control attach /dev/video0 capture name=door $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"
same "format" "$(value format /tmp/attach)" MJPG
ringread /dev/sluice0 frames=30 seconds=60 list=/tmp/list >/tmp/read || fail "$(cat /tmp/read)"
sent_by_camera /tmp/list
check_ledger 0
same "CORRUPT" "$(value count16 /tmp/ledger)" 0
control detach 0
# The queue is learnt from the idle camera, where the driver does not name it.
control attach /dev/video0 tap name=door $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"
tap_both /dev/video0
control detach 0
control attach /dev/video0 capture name=door $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"
ringread /dev/sluice0 frames=5 seconds=60 >/tmp/read || fail "$(cat /tmp/read)"
echo 0 >/sys/devices/platform/vhci_hcd.0/detach
wait_for 10 sh -c '[ $(($(control get door | sed -n s/^state=//p) & 16)) = 16 ]'
check_ledger door
control detach door
wait $camsim || true
rmmod sluice
rmmod uvcvideo
