# SPDX-License-Identifier: MIT
# The camera goes while it streams, in both modes: state GONE, an event, the ring stays readable, the
# driver can be removed, and a new camera can be attached.
# shellcheck disable=SC2086,SC1091 # words are meant to split
. /root/module.sh
set -e
modprobe sluice
for mode in capture tap; do
	vivid_start
	control events 12 >/tmp/events &
	events=$!
	control attach /dev/video0 $mode name=gate arena=67108864 $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"
	app=
	if [ $mode = tap ]; then
		timeout 60 v4l2-ctl -d /dev/video0 --stream-mmap --stream-count=1000 >/dev/null 2>&1 &
		app=$!
	fi
	ringread /dev/sluice0 frames=10 seconds=30 >/tmp/read || fail "$mode: $(cat /tmp/read)"
	ringread /dev/sluice0 hold until-end seconds=60 list=/tmp/held >/tmp/read &
	reader=$!
	sleep 1
	echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind
	wait_for 5 sh -c '[ $(($(control get gate | sed -n s/^state=//p) & 16)) = 16 ]'
	wait $reader || fail "$mode: reader: $(cat /tmp/read)"
	[ -z "$app" ] || wait $app || true
	wait_for 5 grep -qx event=6 /tmp/events
	check_ledger gate
	# A frame that was in hand when the driver freed its memory is LATE; more than it must not be.
	late=$(value count25 /tmp/ledger)
	[ "$late" -le 1 ] || fail "$mode: $late frames were late"
	same "$mode: lost" "$(value lost /tmp/ledger)" "$(($(value count26 /tmp/ledger) + late))"
	# What was not released is there for the next reader.
	ringread /dev/sluice0 until-end list=/tmp/again seconds=10 >/tmp/read || fail "$mode: $(cat /tmp/read)"
	cmp /tmp/held /tmp/again || fail "$mode: records were lost at the unplug"
	[ -s /tmp/held ] || fail "$mode: nothing was held"
	# The driver is not pinned by a camera that is gone.
	rmmod vivid || fail "$mode: the driver is pinned"
	vivid_start
	refused "EEXIST is called gate" control attach /dev/video0 $mode name=gate
	control detach gate
	control attach /dev/video0 $mode name=gate >/tmp/attach || fail "again: $(cat /tmp/attach)"
	control detach gate
	wait $events
	same "$mode: events GONE" "$(grep -cx event=6 /tmp/events)" 1
	rmmod vivid
done
# Unplugged with the module removed before anybody detached.
vivid_start
control attach /dev/video0 capture >/dev/null
echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind
rmmod sluice
rmmod vivid
