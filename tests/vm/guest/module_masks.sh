# SPDX-License-Identifier: MIT
# Privacy: in the arena, in the pre-roll and in what a reader gets there is no masked pixel; nor while
# the mask is being changed: each frame has the one or the other, whole. Formats: module_formats.sh.
# shellcheck disable=SC2086,SC1091 # words are meant to split
. /root/module.sh
set -e
modprobe vivid n_devs=1 node_types=0x1 no_error_inj=1
cam=/dev/video0
# Eight bars and no clock: what stands left of the middle does not stand right of it.
v4l2-ctl -d $cam -c osd_text_mode=2 --set-fmt-video=width=640,height=360,pixelformat=YUYV >/dev/null
camapp $cam frames=2 fps=25 to=/tmp/plain >/tmp/app || fail "$(cat /tmp/app)"
picture="YUYV 640x360 1280 /tmp/plain"
modprobe sluice

# Pre-roll. Nothing moves, so all frames wait in the arena and none is published: warm-up 0.2 s,
# no keep-alive, no audit, no rate.
quiet="8=200 14=0 15=0 11=0 12=5000"
control attach $cam capture arena=16777216 grid=80x45 privacy=left $quiet >/tmp/attach || fail "$(cat /tmp/attach)"
wait_for 30 sh -c '[ "$(control get 0 | sed -n s/^pending=//p)" -ge 20 ]'
ringread /dev/sluice0 observe seconds=1 arena=/tmp/arena >/tmp/read || fail "$(cat /tmp/read)"
check_ledger 0
[ "$(value pending /tmp/ledger)" -ge 20 ] || fail "nothing waits in the pre-roll"
pixels absent $picture /tmp/arena left >/tmp/pixels || fail "pre-roll: $(cat /tmp/pixels)"
if pixels absent $picture /tmp/arena right >/tmp/pixels; then fail "the arena holds no picture at all"; fi
# A snapshot publishes what waits.
ringread /dev/sluice0 frames=15 seconds=30 dump=/tmp/ring list=/tmp/list >/tmp/read &
reader=$!
control snapshot 0
wait $reader || fail "$(cat /tmp/read)"
grep -q reason=9 /tmp/list || fail "no record of the pre-roll"
pixels masked $picture /tmp/ring left || fail "pre-roll records"
control detach 0
echo "pre-roll and arena: no masked pixel"

# The mask changes in mid-stream, again and again.
for mode in capture tap; do
	control attach $cam $mode arena=16777216 grid=80x45 privacy=left $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"
	ringread /dev/sluice0 frames=70 seconds=60 dump=/tmp/ring list=/tmp/list >/tmp/read &
	reader=$!
	if [ $mode = tap ]; then
		camapp $cam frames=100000 >/tmp/app 2>&1 &
		app=$!
	fi
	while kill -0 $reader 2>/dev/null; do
		for half in right left; do
			control mask 0 privacy=$half >/tmp/set || fail "$(cat /tmp/set)"
			usleep 30000
		done
	done
	wait $reader || fail "$mode: $(cat /tmp/read)"
	pixels masked $picture /tmp/ring either >/tmp/pixels || fail "$mode, while the mask changes: $(cat /tmp/pixels)"
	echo "$mode: $(tr '\n' ' ' </tmp/pixels)"
	awk '{ for (i = 1; i <= NF; i++) if ($i ~ /^flags=/) { sub("flags=", "", $i); if (int($i / 16) % 2 != 1) exit 1 } }' /tmp/list ||
		fail "records do not say MASKED"
	check_ledger 0
	if [ $mode = tap ]; then
		kill $app
		wait $app || true
	fi
	control detach 0
done

# The stream gets another size under the mask: it is scaled, and covers what it covered at least.
v4l2-ctl -d $cam --set-fmt-video=width=320,height=180,pixelformat=NV12 >/dev/null
camapp $cam frames=2 fps=25 to=/tmp/small >/tmp/app || fail "$(cat /tmp/app)"
v4l2-ctl -d $cam --set-fmt-video=width=640,height=360,pixelformat=YUYV >/dev/null
control attach $cam tap grid=80x45 privacy=left $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"
ringread /dev/sluice0 frames=8 seconds=60 list=/tmp/list arena=/tmp/arena >/tmp/read &
reader=$!
camapp $cam frames=4 then=320x180/NV12 >/tmp/app || fail "$(cat /tmp/app)"
wait $reader || fail "$(cat /tmp/read)"
pixels absent $picture /tmp/arena left >/tmp/pixels || fail "first size: $(cat /tmp/pixels)"
pixels absent NV12 320x180 320 /tmp/small /tmp/arena left >/tmp/pixels || fail "second size: $(cat /tmp/pixels)"
if pixels absent NV12 320x180 320 /tmp/small /tmp/arena right >/tmp/pixels; then fail "no picture of the second size"; fi
control detach 0

# Tampering. The scene is learnt for ten seconds; then the lens is covered (one colour), uncovered,
# and turned to another picture: events, state and ledger tell, and the frame that did it passed.
v4l2-ctl -d $cam --set-fmt-video=width=640,height=360,pixelformat=YUYV -c test_pattern=0 >/dev/null
camapp $cam frames=0 fps=25
control events 100 >/tmp/events &
events=$!
wait_for 3 grep -q listening /tmp/events
control attach $cam capture name=porch $all_pass 8=1000 >/tmp/attach || fail "$(cat /tmp/attach)"
ringread /dev/sluice0 until-end seconds=90 list=/tmp/list >/tmp/read &
reader=$!
state() { control get porch | sed -n 's/^state=//p'; }
wait_for 30 sh -c '[ "$(control get porch | sed -n s/^delivered=//p)" -ge 320 ]'
same "state before" "$(($(state) & 448))" 0
v4l2-ctl -d $cam -c test_pattern=8
wait_for 20 grep -qx event=12 /tmp/events
same "covered" "$(($(state) & 448))" 64
v4l2-ctl -d $cam -c test_pattern=0
wait_for 20 grep -qx event=15 /tmp/events
same "uncovered" "$(($(state) & 448))" 0
v4l2-ctl -d $cam -c test_pattern=3
wait_for 20 grep -qx event=14 /tmp/events
same "turned" "$(($(state) & 448))" 256
check_ledger porch
same "TAMPER" "$(value count17 /tmp/ledger)" 2
same "records of it" "$(grep -c reason=17 /tmp/list)" 2
control detach porch
wait $reader || true
kill $events
wait $events || true
same "covered, turned, clear" "$(grep -cx 'event=1[245]' /tmp/events)" 3
same "defocused" "$(grep -cx event=13 /tmp/events || true)" 0
rmmod sluice
rmmod vivid
