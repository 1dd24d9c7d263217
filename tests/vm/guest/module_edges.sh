# SPDX-License-Identifier: MIT
# Life-cycle edges on vivid: applications that crash, change their mind or come second; readers that
# are killed; modules that are removed in the middle of it; too many cameras.
# shellcheck disable=SC2086,SC1091 # words are meant to split
. /root/module.sh
set -e
modprobe vivid n_devs=1 node_types=0x1 no_error_inj=1
cam=/dev/video0
v4l2-ctl -d $cam --set-fmt-video=width=320,height=180,pixelformat=YUYV >/dev/null
camapp $cam frames=0 fps=50
frame=$((320 * 180 * 2))

# Numbers of records without a gap, in the order of the file; one record may come twice where a
# reader was killed between its line and its release.
no_gap() {
	awk '$1 == epoch && $2 != last + 1 && $2 != last { print "gap before " $2; bad = 1 }
		{ epoch = $1; last = $2 } END { exit bad }' "$@"
}

modprobe sluice
control attach $cam tap name=edge $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"

# The application is killed in mid-stream, at different moments; what it saw is accounted for.
ringread /dev/sluice0 seconds=120 list=/tmp/list >/tmp/read &
reader=$!
for n in 1 2 3 4 5 6; do
	camapp $cam frames=10000 >/tmp/app 2>&1 &
	app=$!
	before=$(control get edge | sed -n 's/^delivered=//p')
	wait_for 20 sh -c "[ \$(control get edge | sed -n 's/^delivered=//p') -gt $((before + 3)) ]"
	usleep $((n * 3000))
	kill -9 $app
	wait $app || true
	wait_for 5 sh -c '[ $(($(control get edge | sed -n s/^state=//p) & 1)) = 0 ]'
	check_ledger edge
done
nothing_lost
same "pending after the streams" "$(value pending /tmp/ledger)" 0
same "corrupt" "$(value count16 /tmp/ledger)" 0
kill $reader
wait $reader || true
echo "an application killed six times: $(value delivered /tmp/ledger) frames, each accounted for"

# STREAMOFF and another format on the same file: a new epoch, each frame in its own format.
ringread /dev/sluice0 seconds=2 >/dev/null || fail "drain"
ringread /dev/sluice0 frames=16 seconds=60 list=/tmp/list dump=/tmp/ring >/tmp/read &
reader=$!
timeout 60 camapp $cam frames=8 then=640x360/NV12 to=/tmp/app >/tmp/camapp || fail "$(cat /tmp/camapp)"
wait $reader || fail "$(cat /tmp/read)"
cmp /tmp/app /tmp/ring || fail "other bytes than the application's over a change of format"
same "epochs" "$(cut -d' ' -f1 /tmp/list | sort -u | wc -l)" 2
same "sizes" "$(sed 's/.* size=\([0-9]*\).*/\1/' /tmp/list | uniq | tr '\n' ' ')" "$frame $((640 * 360 * 3 / 2)) "
check_ledger edge
nothing_lost
v4l2-ctl -d $cam --set-fmt-video=width=320,height=180,pixelformat=YUYV >/dev/null
camapp $cam frames=0 fps=50

# A second application under the tap is refused by the driver; neither the first nor we notice.
camapp $cam frames=10000 list=/tmp/seen >/tmp/app 2>&1 &
app=$!
wait_for 20 sh -c '[ $(($(control get edge | sed -n s/^state=//p) & 1)) = 1 ]'
epoch=$(control get edge | sed -n 's/^epoch=//p')
if camapp $cam frames=1 >/tmp/second 2>&1; then fail "a second application could stream"; fi
grep -qi busy /tmp/second || fail "second application: $(cat /tmp/second)"
if v4l2-ctl -d $cam --set-fmt-video=width=640,height=360 >/tmp/second 2>&1 && ! grep -qi busy /tmp/second; then
	fail "a second application could set the format"
fi
ringread /dev/sluice0 frames=20 seconds=30 list=/tmp/list >/tmp/read || fail "$(cat /tmp/read)"
same "epoch after a second opener" "$(control get edge | sed -n 's/^epoch=//p')" "$epoch"
kill -0 $app || fail "the first application has ended: $(cat /tmp/app)"

# Readers are killed in the middle of their work: together they have every frame, in order.
: >/tmp/all
for n in 1 2 3 4 5; do
	ringread /dev/sluice0 seconds=60 list=/tmp/part >/dev/null &
	reader=$!
	wait_for 10 sh -c '[ -s /tmp/part ]'
	usleep $((n * 30000))
	kill -9 $reader
	wait $reader || true
	cat /tmp/part >>/tmp/all
	: >/tmp/part
done
ringread /dev/sluice0 frames=10 seconds=30 list=/tmp/part >/tmp/read || fail "$(cat /tmp/read)"
cat /tmp/part >>/tmp/all
no_gap /tmp/all || fail "a killed reader took frames with it"
check_ledger edge
same "OVERRUN" "$(value count24 /tmp/ledger)" 0
echo "readers killed five times: $(wc -l </tmp/all) records, none missing"

# The driver cannot be removed from under us; we can be, at any moment, and the application goes on.
if rmmod vivid 2>/dev/null; then fail "the camera's driver went while tapped"; fi
rmmod sluice
for n in $(seq 10); do
	modprobe sluice
	control attach $cam tap arena=4194304 >/tmp/attach || fail "$(cat /tmp/attach)"
	usleep $((n * 4000))
	rmmod sluice || fail "round $n: rmmod"
done
seen=$(wc -l </tmp/seen)
wait_for 10 sh -c "[ \$(wc -l </tmp/seen) -gt $seen ]"
kill -0 $app || fail "the application did not survive rmmod: $(cat /tmp/app)"
kill $app
wait $app || true
modprobe sluice
for n in $(seq 8); do
	control attach $cam capture arena=4194304 >/tmp/attach || fail "$(cat /tmp/attach)"
	if rmmod vivid 2>/dev/null; then fail "the camera's driver went while we stream"; fi
	usleep $((n * 5000))
	rmmod sluice || fail "round $n: rmmod while capturing"
	modprobe sluice
done
camapp $cam frames=3 >/tmp/app || fail "the camera does not stream any more: $(cat /tmp/app)"
rmmod sluice
rmmod vivid
echo "rmmod at 18 moments"

# Sixteen cameras; the seventeenth is refused in words, and fits once one has gone.
types=0x1 n=1
while [ $n -lt 17 ]; do types=$types,0x1 n=$((n + 1)); done
modprobe vivid n_devs=17 node_types=$types no_error_inj=1
modprobe sluice
for n in $(seq 0 15); do
	v4l2-ctl -d $n --set-fmt-video=width=320,height=180,pixelformat=YUYV >/dev/null
	control attach /dev/video$n tap arena=1048576 >/tmp/attach || fail "camera $n: $(cat /tmp/attach)"
done
v4l2-ctl -d 16 --set-fmt-video=width=320,height=180,pixelformat=YUYV >/dev/null
refused "ENFILE 16 cameras" control attach /dev/video16 tap arena=1048576
same "cameras" "$(control dump | grep -c ^camera=)" 16
control detach 5
control attach /dev/video16 capture arena=1048576 $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"
same "slot" "$(value camera /tmp/attach)" 5
ringread /dev/sluice5 frames=3 seconds=30 >/tmp/read || fail "$(cat /tmp/read)"
rmmod sluice
rmmod vivid
