# SPDX-License-Identifier: MIT
# Where motion counts: ignored zones and zones of another sensitivity, given in pixels, on the cells of
# the records and on the ledger; and what a snapshot is: one frame, as the camera gave it, also when the
# ring was full as it was asked for.
# shellcheck disable=SC2086,SC1091 # words are meant to split
. /root/module.sh
set -e
modprobe vivid n_devs=1 node_types=0x1 no_error_inj=1
cam=/dev/video0
# Nothing moves, until a line of text is shown in the left upper corner or a square in the middle.
show() { v4l2-ctl -d $cam --set-ctrl=$1 >/dev/null; }
v4l2-ctl -d $cam --set-fmt-video=width=640,height=360,pixelformat=YUYV --set-parm=$vivid_fps >/dev/null
show test_pattern=10,osd_text_mode=2,show_square=0
camapp $cam frames=2 to=/tmp/plain >/tmp/app || fail "$(cat /tmp/app)"
tail -c 460800 /tmp/plain >/tmp/plain1
modprobe sluice

# $1: delivered, or the number of a reason.
now() { control get yard | sed -n "s/^$1=//p" | grep . || echo 0; }
more() { [ "$(now $1)" -ge $2 ]; }
# The rest: settings and zones. Attaches, and waits until the scene is learnt and the gate closed. No
# rolls, no thinning, no frame by the clock: what passes then, has moved or was asked for.
begin() {
	sluicectl attach $cam --name yard "$@" preroll=0 postroll=0 rate=0 keepalive=0 audit=0 tamper=0 warmup=1 >/dev/null ||
		fail "attach $*"
	ringread /dev/sluice0 until-end seconds=300 list=/tmp/list dump=/tmp/pictures >/tmp/read &
	reader=$!
	wait_for 60 more count1 8
	: >/tmp/none
	grep -E 'reason=(8|13) ' /tmp/list >/tmp/none || true
	[ ! -s /tmp/none ] || fail "something moves in a still picture: $(head -n 3 /tmp/none)"
}
end() {
	check_ledger yard
	sluicectl detach yard >/dev/null
	wait $reader || fail "reader: $(tail -n 3 /tmp/read)"
	show osd_text_mode=2,show_square=0
}
# $1: so many frames from now on must all be dropped.
still() {
	passed=$(now passed) until=$(($(now delivered) + $1))
	wait_for 60 more delivered $until
	same "frames that passed, $2" "$(now passed)" "$passed"
}
# $1: x0,y0,x1,y1, cells. Motion came, and all its cells lie in there.
moved_within() {
	grep 'reason=8 ' /tmp/list | sed 's/.*box=\([^ ]*\).*/\1/' | sort | uniq -c >/tmp/boxes
	[ -s /tmp/boxes ] || fail "no record of motion: $(cat /tmp/list)"
	awk -v b=$1 'BEGIN { split(b, w, ",") } { n = split($2, c, ",")
		if (n != 4 || c[1] < w[1] || c[2] < w[2] || c[3] > w[3] || c[4] > w[4]) { print; bad = 1 } } END { exit bad }' \
		/tmp/boxes >/tmp/outside || fail "motion outside of $1: $(cat /tmp/outside)"
	echo "cells of motion: $(tr '\n' ' ' </tmp/boxes)"
}
corner='0,0 184,0 184,40 0,40' corner_cells=0,0,22,4
middle='184,40 456,40 456,320 184,320' middle_cells=23,5,56,39

# Without zones both are seen, each where it is.
begin
show osd_text_mode=1
wait_for 20 more count8 1
end
moved_within $corner_cells
begin
show show_square=1
wait_for 20 more count8 1
end
moved_within $middle_cells

# The corner is ignored, from the first frame on or from now on: text does not count, the square does.
for how in attach mask; do
	if [ $how = attach ]; then
		begin --ignore "$corner"
	else
		begin
		sluicectl mask yard --ignore "$corner" >/dev/null || fail "mask"
	fi
	show osd_text_mode=1
	still 12 "in an ignored zone"
	show show_square=1
	wait_for 20 more count8 1
	end
	moved_within $middle_cells
done

# A threshold of 64 grey levels, in the corner 15.9 times that, which no change reaches, in the middle a
# 16th of it; then the other way round.
begin floor=64 --zone 15.9:"$corner" --zone 0.0625:"$middle"
show osd_text_mode=1
still 12 "where the threshold is out of reach"
show show_square=1
wait_for 20 more count8 1
end
moved_within $middle_cells
begin floor=64 --zone 15.9:'0,0 640,0 640,360 0,360' --zone 0.0625:"$corner"
show show_square=1
still 12 "where the threshold is out of reach"
show osd_text_mode=1
wait_for 20 more count8 1
end
moved_within $corner_cells

# A snapshot of a quiet scene: one frame of that reason, every byte as the camera gives it, no more.
begin
before=$(now passed)
sluicectl snapshot yard >/dev/null
wait_for 20 more count15 1
still 6 "after a snapshot"
same "passed since" "$(($(now passed) - before))" 1
end
same "records of it" "$(grep -c reason=15 /tmp/list)" 1
same "the last record" "$(tail -n 1 /tmp/list | sed 's/.*reason=\([0-9]*\).*/\1/')" 15
tail -c 460800 /tmp/pictures | cmp - /tmp/plain1 || fail "the snapshot is not what the camera gives"

# Asked for while the ring is full: it waits for room, and is not lost.
control attach $cam capture name=yard arena=1048576 $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"
wait_for 30 more count24 2
control snapshot yard
lost=$(now count24)
wait_for 30 more count24 $((lost + 2))
same "snapshots in a full ring" "$(now count15)" 0
ringread /dev/sluice0 frames=6 seconds=60 list=/tmp/list >/tmp/read || fail "$(cat /tmp/read)"
same "snapshots, once there is room" "$(grep -c reason=15 /tmp/list)" 1
check_ledger yard
same "SNAPSHOT" "$(value count15 /tmp/ledger)" 1
control detach yard
rmmod sluice
rmmod vivid
