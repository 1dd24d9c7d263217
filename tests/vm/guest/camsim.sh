# SPDX-License-Identifier: MIT
# The simulated camera on the stock uvcvideo, streamed by the stock v4l2-ctl. FRAMES: how many.
set -e
. /root/lib.sh
plug_camsim /root/clip.roll
v4l2-ctl -d /dev/video0 --all | head -5
# To memory, and with many buffers: an application that waits for the host's disk loses frames.
timeout 100 v4l2-ctl -d /dev/video0 --stream-mmap=32 --verbose --stream-count="$FRAMES" \
	--stream-to=/tmp/stream >/tmp/v4l2.log 2>&1 || {
	tail -3 /tmp/v4l2.log
	fail "v4l2-ctl did not get its frames"
}
unplug_camsim
hand_over /tmp/stream /tmp/v4l2.log
cat /tmp/camsim
