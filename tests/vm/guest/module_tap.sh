# SPDX-License-Identifier: MIT
# The module looks over the shoulder of an unchanged v4l2-ctl on vivid: both get the same bytes.
# shellcheck disable=SC2086,SC1091 # words are meant to split
. /root/module.sh
set -e
vivid_start
modprobe sluice
control attach /dev/video0 tap name=yard $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"
same "state before the stream" "$(value state /tmp/attach)" 0

# $1: frames; the rest: more words for v4l2-ctl. Streams while the ring is read; compares all bytes.
both_see() {
	count=$1
	shift
	rm -f /tmp/app /tmp/ring
	ringread /dev/sluice0 frames=$count seconds=60 dump=/tmp/ring list=/tmp/list >/tmp/read &
	reader=$!
	timeout 60 v4l2-ctl -d /dev/video0 "$@" --stream-count=$count --stream-to=/tmp/app >/tmp/v4l2 2>&1 ||
		fail "v4l2-ctl $*: $(cat /tmp/v4l2)"
	wait $reader || fail "ringread: $(cat /tmp/read)"
	cmp /tmp/app /tmp/ring || fail "the ring has other bytes than the application's file: $*"
	[ "$(awk '{ print $NF }' /tmp/list | sort -u | wc -l)" -ge $((count - 5)) ] || fail "frames do not differ"
	check_ledger 0
	nothing_lost
	[ "$(stat -c %s /tmp/app)" -gt 100000 ] || fail "the application got little"
}
both_see 40 --stream-mmap
first=$(value epoch /tmp/ledger)
both_see 20 --stream-user
[ "$(value epoch /tmp/ledger)" -gt "$first" ] || fail "another stream has the same epoch"
wait_for 3 sh -c 'control get 0 | grep -qx state=0'

# Another format and size, then one that Sluice does not know, then a known one again.
v4l2-ctl -d /dev/video0 --set-fmt-video=width=640,height=360,pixelformat=NV12 >/dev/null
both_see 10 --stream-mmap
same "format" "$(value format /tmp/ledger)" NV12
same "height" "$(value height /tmp/ledger)" 360
before=$(value delivered /tmp/ledger)
control events 6 >/tmp/events &
sleep 0.5
v4l2-ctl -d /dev/video0 --set-fmt-video=width=640,height=360,pixelformat=RGBP >/dev/null
timeout 30 v4l2-ctl -d /dev/video0 --stream-mmap --stream-count=5 >/dev/null 2>&1 || fail "RGBP"
wait_for 10 grep -qx event=11 /tmp/events
grep -qx format=RGBP /tmp/events || fail "REFUSED does not name the format: $(cat /tmp/events)"
same "refused once" "$(grep -cx event=11 /tmp/events)" 1
check_ledger 0
same "frames of a refused stream" "$(value delivered /tmp/ledger)" "$before"
# Known again: it goes on by itself.
v4l2-ctl -d /dev/video0 --set-fmt-video=width=640,height=480,pixelformat=UYVY >/dev/null
both_see 10 --stream-mmap
same "format" "$(value format /tmp/ledger)" UYVY
v4l2-ctl -d /dev/video0 --set-fmt-video=width=640,height=360,pixelformat=RGBP >/dev/null
refused "EOPNOTSUPP" sh -c 'control detach yard; control attach /dev/video0 tap' || true
v4l2-ctl -d /dev/video0 --set-fmt-video=width=640,height=480,pixelformat=YUYV >/dev/null
control attach /dev/video0 tap name=yard $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"
both_see 10 --stream-mmap

# read(): the buffer is back with the driver before our copy: lost, and counted so.
dd if=/dev/video0 of=/dev/null bs=614400 count=10 2>/dev/null
check_ledger 0
[ "$(value count25 /tmp/ledger)" -ge 8 ] || fail "read() frames are not LATE: $(cat /tmp/ledger)"
control detach yard
same "cameras" "$(control dump | grep -c ^camera=)" 0

# Attach and detach while the application streams; it does not notice.
timeout 300 v4l2-ctl -d /dev/video0 --stream-mmap --stream-count=100000 >/tmp/v4l2 2>&1 &
app=$!
sleep 1
control attach /dev/video0 tap $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"
ringread /dev/sluice0 frames=10 seconds=30 >/tmp/read || fail "$(cat /tmp/read)"
control detach 0
for n in $(seq 50); do
	control attach /dev/video0 tap >/tmp/attach || fail "attach $n: $(cat /tmp/attach)"
	control detach cam0 || fail "detach $n"
done
control attach /dev/video0 tap >/dev/null
wait_for 10 sh -c 'control get 0 | grep -q "^delivered=[1-9]"'
check_ledger 0
kill -0 $app || fail "the application has ended: $(cat /tmp/v4l2)"
kill $app
wait $app || true

# rmmod while it streams.
timeout 60 v4l2-ctl -d /dev/video0 --stream-mmap --stream-count=40 --stream-to=/tmp/app >/tmp/v4l2 2>&1 &
app=$!
wait_for 10 sh -c '[ $(($(control get 0 | sed -n s/^state=//p) & 1)) = 1 ]'
rmmod sluice
wait $app || fail "the application did not survive: $(cat /tmp/v4l2)"
same "the application's bytes" "$(stat -c %s /tmp/app)" $((40 * 614400))
rmmod vivid
