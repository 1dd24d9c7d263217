# SPDX-License-Identifier: MIT
# Unplugged at every moment of a frame, large frames for a long copy: the driver frees the buffers of
# a queue that we own while one of them may be in our hands.
# shellcheck disable=SC2086,SC1091 # words are meant to split
. /root/module.sh
set -e
modprobe sluice
for n in $(seq 12); do
	modprobe vivid n_devs=1 node_types=0x1 no_error_inj=1
	v4l2-ctl -d /dev/video0 --set-fmt-video=width=1280,height=720,pixelformat=YUYV --set-parm=12 >/dev/null
	control attach /dev/video0 capture name=gate arena=67108864 $all_pass >/tmp/attach || fail "$(cat /tmp/attach)"
	ringread /dev/sluice0 frames=2 seconds=30 >/tmp/read || fail "round $n: $(cat /tmp/read)"
	# 83 ms are a frame: these are twelve places in it.
	usleep $((n * 7000))
	echo vivid.0 >/sys/bus/platform/drivers/vivid/unbind
	wait_for 10 sh -c '[ $(($(control get gate | sed -n s/^state=//p) & 16)) = 16 ]'
	check_ledger gate
	control detach gate >/dev/null
	rmmod vivid || fail "round $n: the driver is pinned"
done
