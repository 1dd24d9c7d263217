# SPDX-License-Identifier: MIT
# The simulated camera on the stock uvcvideo, streamed by the stock v4l2-ctl. FRAMES: how many.
set -e
. /root/lib.sh
plug_camsim /root/clip.roll
v4l2-ctl -d /dev/video0 --all | head -5
timeout 100 v4l2-ctl -d /dev/video0 --stream-mmap --verbose --stream-count="$FRAMES" \
	--stream-to=/out/stream >/out/v4l2.log 2>&1 || {
	tail -3 /out/v4l2.log
	fail "v4l2-ctl did not get its frames"
}
unplug_camsim
cat /tmp/camsim
