# SPDX-License-Identifier: MIT
# The module streams vivid (640x480 YUYV) itself: every frame comes out of the ring, in order; the
# ledger adds up; others are kept out; readers come and go; a full ring is counted.
# shellcheck disable=SC2086,SC1091 # words are meant to split
. /root/module.sh
set -e
vivid_start
modprobe sluice
refused "ENODEV" control get 0

control attach /dev/video0 capture name=hall arena=16777216 $all_pass | tee /tmp/attach
same "camera" "$(value camera /tmp/attach)" 0
same "format" "$(value format /tmp/attach)" YUYV
same "grid" "$(value grid_w /tmp/attach)x$(value grid_h /tmp/attach)" 80x60
[ -c /dev/sluice0 ] || fail "no /dev/sluice0"

# One reader: all frames pass, so sequences have no gap unless the driver had one.
ringread /dev/sluice0 frames=60 list=/tmp/list >/tmp/read || fail "$(cat /tmp/read)"
cat /tmp/read
same "frames" "$(value frames /tmp/read)" 60
# Every frame passes, so the numbers that the gate gives have no gap.
awk 'NR > 1 && $2 != last + 1 { print "gap before " $2; bad = 1 } { last = $2 } END { exit bad }' /tmp/list ||
	fail "sequence has gaps"
[ "$(awk '{ print $NF }' /tmp/list | sort -u | wc -l)" -gt 50 ] || fail "frames do not differ"

# The camera is ours.
if v4l2-ctl -d /dev/video0 --stream-mmap --stream-count=1 >/tmp/other 2>&1 && ! grep -qi busy /tmp/other; then
	fail "somebody else could stream: $(cat /tmp/other)"
fi
control get hall >/tmp/get
same "state" "$(($(value state /tmp/get) & 1))" 1
refused "EEXIST already attached" control attach /dev/video0 capture
refused "EEXIST already attached" control attach /dev/video0 tap

# One reader at a time; observers as many as they like.
has_reader() { control get 0 | grep -qx reader=1; }
ringread /dev/sluice0 seconds=$((5 * ${GUEST_SLOWER:-1})) >/tmp/read &
reader=$!
wait_for 5 has_reader
refused "EBUSY" ringread /dev/sluice0 frames=1
same "reader" "$(control get 0 | sed -n 's/^reader=//p')" 1
ringread /dev/sluice0 observe frames=3 seconds=10 >/tmp/observe || fail "observer: $(cat /tmp/observe)"
wait $reader || fail "reader: $(cat /tmp/read)"

# A reader that is killed loses nothing that lies in the ring: its records stay, and the next
# reader begins with them. 614 kB frames in 16 MiB: about 27 fit.
ringread /dev/sluice0 hold seconds=100 list=/tmp/held >/dev/null &
reader=$!
wait_for 20 sh -c 'control get 0 | grep -q "^count24="'
kill -9 $reader
wait $reader || true
ringread /dev/sluice0 hold frames=20 list=/tmp/first >/tmp/read || fail "$(cat /tmp/read)"
ringread /dev/sluice0 frames=20 list=/tmp/again >/tmp/read || fail "$(cat /tmp/read)"
cmp /tmp/first /tmp/again || fail "the second reader got other records than the first"
check_ledger 0
cat /tmp/ledger
[ "$(value count24 /tmp/ledger)" -gt 0 ] || fail "a full ring was not counted"

# The next record tells of the losses, once space is there again.
ringread /dev/sluice0 frames=60 list=/tmp/after >/tmp/read || fail "$(cat /tmp/read)"
[ "$(value told_lost /tmp/read)" -gt 0 ] || fail "no record told of the lost frames"

# A hostile reader changes nothing but its own luck.
ringread /dev/sluice0 attack || fail "attack"
ringread /dev/sluice0 frames=20 seconds=20 >/tmp/read || fail "after the attack: $(cat /tmp/read)"
check_ledger 0

# Detach while it streams and is read: the reader sees the end.
ringread /dev/sluice0 until-end seconds=30 >/tmp/read &
reader=$!
sleep 1
control detach 0
wait $reader || fail "reader at the end: $(cat /tmp/read)"
[ ! -e /dev/sluice0 ] || fail "the node is still there"
v4l2-ctl -d /dev/video0 --stream-mmap --stream-count=3 >/dev/null 2>&1 || fail "the camera does not stream after detach"

# rmmod in mid-stream.
control attach /dev/video0 capture >/dev/null
sleep 1
rmmod sluice
v4l2-ctl -d /dev/video0 --stream-mmap --stream-count=3 >/dev/null 2>&1 || fail "the camera does not stream after rmmod"

# Not while a ring is open.
modprobe sluice
control attach /dev/video0 capture >/dev/null
ringread /dev/sluice0 seconds=$((5 * ${GUEST_SLOWER:-1})) >/dev/null &
reader=$!
wait_for 5 has_reader
if rmmod sluice 2>/dev/null; then fail "rmmod went through an open ring"; fi
wait $reader
rmmod sluice
rmmod vivid
