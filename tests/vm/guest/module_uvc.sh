# SPDX-License-Identifier: MIT
# The simulated USB camera on the stock uvcvideo: ROLL, in both modes. At the camera's own rate
# nothing is lost in the ring, and each picture is one that the camera has sent.
# shellcheck disable=SC2086,SC1091,SC2154 # words are meant to split; ROLL comes from outside
. /root/module.sh
set -e
camsim_start "$ROLL"
modprobe sluice

control attach /dev/video0 capture $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"
grep -E '^(format|width|height|card)=' /tmp/attach
ringread /dev/sluice0 frames=$FRAMES seconds=100 list=/tmp/list >/tmp/read || fail "$(cat /tmp/read)"
check_ledger 0
grep -E '^(count|delivered|passed)' /tmp/ledger
same "OVERRUN" "$(value count24 /tmp/ledger)" 0
same "CORRUPT" "$(value count16 /tmp/ledger)" 0
same "LATE" "$(value count25 /tmp/ledger)" 0
sent_by_camera /tmp/list
# How fast: time between the first and the last record, on the camera's own clock.
first=$(date +%s)
ringread /dev/sluice0 frames=60 seconds=100 >/tmp/read || fail "$(cat /tmp/read)"
echo "60 more frames in $(($(date +%s) - first)) s"
control detach 0

# Tap: the queue is learnt from the idle camera; this uvcvideo does not name it.
control attach /dev/video0 tap $all_pass >/tmp/attach || fail "tap: $(cat /tmp/attach)"
ringread /dev/sluice0 frames=30 seconds=60 list=/tmp/list dump=/tmp/ring >/tmp/read &
reader=$!
timeout 60 v4l2-ctl -d /dev/video0 --stream-mmap --stream-count=30 --stream-to=/tmp/app >/tmp/v4l2 2>&1 || fail "$(cat /tmp/v4l2)"
wait $reader || fail "tap: $(cat /tmp/read)"
check_ledger 0
nothing_lost
sent_by_camera /tmp/list
cmp /tmp/app /tmp/ring || fail "the ring has other bytes than the application"
rm -f /tmp/app /tmp/ring
control detach 0

# Tap of a camera that streams already: the queue is found beside the device.
timeout 100 v4l2-ctl -d /dev/video0 --stream-mmap --stream-count=100000 >/tmp/v4l2 2>&1 &
app=$!
sleep 2
refused "EBUSY busy" control attach /dev/video0 capture
control attach /dev/video0 tap $all_pass >/tmp/attach || fail "late tap: $(cat /tmp/attach)"
ringread /dev/sluice0 frames=20 seconds=60 list=/tmp/list >/tmp/read || fail "late tap: $(cat /tmp/read)"
sent_by_camera /tmp/list
kill $app
wait $app || true
control detach 0

# Unplugged while it streams.
control attach /dev/video0 capture name=door $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"
ringread /dev/sluice0 frames=10 seconds=60 >/tmp/read || fail "$(cat /tmp/read)"
echo 0 >/sys/devices/platform/vhci_hcd.0/detach
wait_for 10 sh -c '[ $(($(control get door | sed -n s/^state=//p) & 16)) = 16 ]'
check_ledger door
control detach door
wait $camsim || true
cat /tmp/camsim.out
rmmod sluice
rmmod uvcvideo
